import type { BackendWatch } from '@reattach/core';
import { FakeClock, FakeClusterReader, nodeFact } from '@reattach/core/testing';
import { describe, expect, it } from 'vitest';
import { watchBackends } from './watch-backends.ts';

function setUp(leaseAgeMs: number | undefined) {
  const clock = new FakeClock();
  const cluster = new FakeClusterReader(clock);
  cluster.setNode(nodeFact({ name: 'node-a', ready: true }));
  const lease =
    leaseAgeMs === undefined
      ? undefined
      : { nodeName: 'node-a', uid: 'uid', observedAtMs: clock.now() - leaseAgeMs };
  const watches: BackendWatch[] = [];
  const watching = watchBackends({
    cluster: {
      nodes: () => cluster.nodes(),
      nodeLease: () => lease,
      leasesFreshAsOfMs: () => (lease ? clock.now() : undefined),
    },
    backends: [{ watch: (watch) => void watches.push(watch) }],
    policy: { attacher: 'test.csi' },
    clusterId: () => 'cluster-1',
    clock,
  });
  return { clock, cluster, watches, watching };
}

describe('watchBackends', () => {
  it.each([
    ['a fresh Lease', 1_000, false],
    ['a Lease of 10 s', 10_000, true],
    ['no Leases at all', undefined, true],
  ])('with %s reads closely: %s -> %s', (_, ageMs, closely) => {
    expect(setUp(ageMs).watches.at(-1)?.closely).toBe(closely);
  });

  it('names the nodes, the cluster and the owner, and notices a Lease that grows old', async () => {
    const { clock, watches, watching } = setUp(1_000);
    expect(watches.at(-1)?.query).toMatchObject({
      clusterId: 'cluster-1',
      owner: 'test.csi',
      peers: [{ name: 'node-a' }],
    });
    await clock.advance(10_000);
    expect(watches.at(-1)?.closely).toBe(true);
    watching[Symbol.dispose]();
    expect(clock.pendingTimers).toBe(0);
  });

  it('reads closely while a node is not ready', async () => {
    const { clock, cluster, watches } = setUp(0);
    cluster.setNode(nodeFact({ name: 'node-a', ready: false }));
    await clock.advance(2_500);
    expect(watches.at(-1)?.closely).toBe(true);
  });
});
