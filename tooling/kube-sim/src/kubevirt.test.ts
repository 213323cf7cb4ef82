import { FakeClock } from '@reattach/core/testing';
import { describe, expect, it } from 'vitest';
import { KubeSim } from './kube-sim.ts';
import { WatchReader } from './watch-reader.test-support.ts';

const PATH = '/apis/kubevirt.io/v1/namespaces/vms/virtualmachineinstancemigrations';
const MIGRATION = {
  kind: 'VirtualMachineInstanceMigration',
  metadata: { name: 'move-1', namespace: 'vms' },
  spec: { vmiName: 'db' },
} as const;
const bound = () => AbortSignal.timeout(60_000);

describe('KubeVirt migrations', () => {
  it('are served with the option, with a status of their own', async () => {
    await using sim = await KubeSim.start({ clock: new FakeClock(), kubevirt: true });
    await using watcher = await WatchReader.open(`${sim.url}${PATH}?watch=true`, bound());
    const send = (method: string, path: string, contentType: string, body: object) =>
      fetch(sim.url + path, {
        method,
        signal: bound(),
        headers: { 'content-type': contentType },
        body: JSON.stringify(body),
      });
    const status = { phase: 'Running' };
    const created = await send('POST', PATH, 'application/json', { ...MIGRATION, status });
    expect(await created.json()).not.toHaveProperty('status');
    await send('PATCH', `${PATH}/move-1/status`, 'application/merge-patch+json', { status });
    expect(await watcher.take(2)).toMatchObject([
      { type: 'ADDED', object: { apiVersion: 'kubevirt.io/v1', ...MIGRATION } },
      { type: 'MODIFIED', object: { spec: { vmiName: 'db' }, status } },
    ]);
  });

  it('are a 404 in plain text without the CRD, for a list and for a watch', async () => {
    await using sim = await KubeSim.start({ clock: new FakeClock() });
    sim.store.create(MIGRATION);
    for (const query of ['', '?watch=true']) {
      const response = await fetch(`${sim.url}${PATH}${query}`, { signal: bound() });
      expect([response.status, response.headers.get('content-type'), await response.text()]).toEqual([
        404,
        'text/plain; charset=utf-8',
        '404 page not found\n',
      ]);
    }
  });
});
