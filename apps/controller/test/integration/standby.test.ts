import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type SimWorld, until } from '@reattach/sim-world';
import type { StateReport } from '@reattach/status-page';
import { describe, expect, it } from 'vitest';
import { cli } from './support/cli-run.ts';
import { WorldController } from './support/world-controller.ts';

/** Another replica leads, for longer than this test takes. */
function leadElsewhere({ kube }: SimWorld): void {
  const now = new Date().toISOString().replace('Z', '000Z');
  kube.store.create({
    kind: 'Lease',
    metadata: { name: 'reattach', namespace: 'kube-system' },
    spec: {
      holderIdentity: 'another',
      leaseDurationSeconds: 120,
      acquireTime: now,
      renewTime: now,
      leaseTransitions: 1,
    },
  });
}

const STANDBY_FLAGS = [
  '--mode=fence',
  '--leader-election-enabled=true',
  '--leader-election-namespace=kube-system',
  '--leader-election-lease-duration-ms=120000',
];

describe('a standby', { timeout: 60_000 }, () => {
  it('says that it knows less, since when a node has been lost all the same, and runs no pass', async () => {
    await using controller = await WorldController.start(STANDBY_FLAGS, { prepare: leadElsewhere });
    const { url, world } = controller;
    const server = `--server=${url}`;
    const victim = world.nodes.find(({ name }) => world.attachedTo(name).length > 0)?.name ?? '';
    world.powerOff(victim);
    const state = async () => (await (await fetch(`${url}/state?attachments=lost`)).json()) as StateReport;
    await until('the node to be lost', 20_000, async () => (await state()).attachments.length > 0);
    expect(await state()).toMatchObject({
      leading: false,
      attachments: [
        { node: victim, nodeState: 'not-ready', evidence: { kind: 'unknown', reason: 'no-storage-reading' } },
      ],
    });
    expect((await state()).lastPass).toBeUndefined();
    const deletedAtMs = Date.now();
    world.kube.store.delete('Node', victim);
    await until(
      'the Node to be gone',
      20_000,
      async () => (await state()).attachments[0]?.nodeState === 'gone',
    );
    const gone = (await state()).nodes.find(({ name }) => name === victim);
    expect(Math.abs((gone?.sinceMs ?? 0) - deletedAtMs)).toBeLessThan(2_000);

    const status = await cli(['status', server]);
    expect([status.code, status.err]).toEqual([0, expect.stringContaining('This replica is a standby.')]);
    const reconcile = await cli(['reconcile', server]);
    expect([reconcile.code, reconcile.err]).toEqual([
      1,
      expect.stringContaining('is a standby and runs no passes. The leader is another'),
    ]);
    expect(world.rds.device.addressList.entries).toEqual([]);
  });
});

describe('reattach history without a controller', { timeout: 60_000 }, () => {
  it('reads the audit file', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'reattach-audit-'));
    try {
      const file = `--audit-file=${join(folder, 'audit.jsonl')}`;
      {
        await using controller = await WorldController.start(['--mode=fence', file]);
        const { world } = controller;
        const victim = world.nodes.find(({ name }) => world.attachedTo(name).length > 0)?.name ?? '';
        world.powerOff(victim);
        await until('the release', 30_000, async () =>
          (await cli(['history', `--server=${controller.url}`])).out.includes('released'),
        );
      }
      const noServer = '--http-listen=127.0.0.1:1';
      const all = await cli(['history', file, noServer]);
      expect(all.out).toMatch(/released +default\/data-db-\d/);
      const last = await cli(['history', file, noServer, '--limit=1', '-o', 'json']);
      expect(JSON.parse(last.out)).toMatchObject({ records: [{ kind: 'released' }] });
    } finally {
      await rm(folder, { recursive: true });
    }
  });
});
