import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { until } from '@reattach/sim-world';
import type { AuditRecord } from '@reattach/status-page';
import { describe, expect, it } from 'vitest';
import { WorldController } from './support/world-controller.ts';

async function temporaryFolder(): Promise<AsyncDisposable & { readonly path: string }> {
  const path = await mkdtemp(join(tmpdir(), 'reattach-audit-'));
  return { path, [Symbol.asyncDispose]: () => rm(path, { recursive: true }) };
}

describe('GET /history', { timeout: 60_000 }, () => {
  it('tells a failover from fence to release, as the file does', async () => {
    await using folder = await temporaryFolder();
    const file = join(folder.path, 'audit.jsonl');
    await using controller = await WorldController.start(['--mode=fence', `--audit-file=${file}`]);
    const { url, world } = controller;
    const [victim] = world.nodes.filter(({ name }) => world.attachedTo(name).length > 0);
    if (!victim) throw new Error('nothing is attached');
    const volumes = world.attachedTo(victim.name);
    world.powerOff(victim.name);
    let records: readonly AuditRecord[] = [];
    await until('the releases', 30_000, async () => {
      const answer = (await (await fetch(`${url}/history`)).json()) as { records: AuditRecord[] };
      records = answer.records;
      return records.filter(({ kind }) => kind === 'released').length === volumes.length;
    });
    expect(records[0]).toMatchObject({ kind: 'fenced', node: victim.name, backend: expect.any(String) });
    expect(records.map(({ kind }) => kind)).toContain('pod-deleted');
    expect(records.at(-1)).toMatchObject({
      kind: 'released',
      node: victim.name,
      nodeState: 'not-ready',
      persistentVolume: expect.stringMatching(/^pvc-/),
      rule: 'mode-fence',
      evidence: { kind: 'silent' },
      fence: { kind: 'effective', id: records[0]?.fence?.id },
      strategy: 'in-use',
    });
    const written = async () => (await readFile(file, 'utf8')).trimEnd().split('\n');
    await until('the file to be written', 30_000, async () => (await written()).length === records.length);
    expect((await written()).map((line) => JSON.parse(line))).toEqual(records);
    const last = (await (await fetch(`${url}/history?limit=1`)).json()) as { records: AuditRecord[] };
    expect(last.records).toEqual(records.slice(-1));
  });
});
