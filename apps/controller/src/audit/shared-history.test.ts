import { systemClock } from '@reattach/core';
import { loadKubeApi } from '@reattach/k8s-api';
import { SimWorld } from '@reattach/sim-world';
import type { AuditRecord } from '@reattach/status-page';
import { describe, expect, it } from 'vitest';
import { SharedHistory } from './shared-history.ts';

const { signal } = new AbortController();
const record = (atMs: number, why = 'because'): AuditRecord => ({
  atMs,
  kind: 'released',
  reconcileID: 'r',
  node: 'node-a',
  why,
});
const ELECTION = {
  namespace: 'reattach',
  leaseName: 'reattach',
  leaseDurationMs: 15_000,
  renewDeadlineMs: 10_000,
  retryPeriodMs: 2_000,
};

describe('SharedHistory', () => {
  it('is the same for every reader, keeps what others wrote, and drops the oldest when it is full', async () => {
    await using world = await SimWorld.start({ volumes: 1 });
    await using files = await world.writeFiles();
    await using api = loadKubeApi({ kubeconfigPaths: [files.kubeconfig], clock: systemClock });
    const [one, other] = [
      new SharedHistory(api, ELECTION, 'driver'),
      new SharedHistory(api, ELECTION, 'driver'),
    ];
    expect(await one.read(signal)).toEqual([]);
    await one.append([record(1), record(2)]);
    await Promise.all([one.append([record(3)]), other.append([record(4)])]);
    const times = async () => (await other.read(signal)).map(({ atMs }) => atMs);
    expect((await times()).toSorted((a, b) => a - b)).toEqual([1, 2, 3, 4]);
    expect(await one.read(signal)).toEqual(await other.read(signal));
    await one.append(Array.from({ length: 300 }, (_, index) => record(10 + index, 'x'.repeat(900))));
    const kept = await times();
    expect(kept.length).toBeGreaterThan(150);
    expect(kept.length).toBeLessThan(300);
    expect(kept.at(-1)).toBe(309);
  });
});
