import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { guardWrites } from '../../src/guard-writes.ts';
import { LeaderElector } from '../../src/leader-elector.ts';
import { KubeSimCluster } from './kube-sim-cluster.ts';

describe('LeaderElector against an API server', () => {
  let cluster: KubeSimCluster;

  beforeEach(async () => {
    cluster = await KubeSimCluster.start();
  });
  afterEach(async () => {
    await cluster[Symbol.asyncDispose]();
  });

  const lease = () => cluster.sim.store.get('Lease', 'controller', 'reattach');

  function start(identity: string) {
    const { api, clock } = cluster;
    const place = { owner: 'csi.test/c1', namespace: 'reattach', name: 'controller', random: () => 0.5 };
    const elector = new LeaderElector({ api, clock, identity, ...place });
    const controller = new AbortController();
    const running = elector.run(untilAborted, controller.signal);
    const stop = () => {
      controller.abort();
      return cluster.settled(running);
    };
    return { elector, stop };
  }

  it('creates, renews, hands over and counts, by the rules of the server', async () => {
    const a = start('a');
    await cluster.until(() => a.elector.isLeader);
    const b = start('b');
    await cluster.advance(20_000);
    expect(b.elector).toMatchObject({ isLeader: false, holder: 'a' });
    expect(lease()?.spec).toMatchObject({
      holderIdentity: 'a',
      leaseDurationSeconds: 15,
      leaseTransitions: 0,
    });
    expect(lease()?.spec?.renewTime).toMatch(/^2026-01-01T00:00:\d\d\.\d{6}Z$/);

    await a.stop();
    expect(lease()?.spec).toMatchObject({ holderIdentity: '', leaseDurationSeconds: 1 });
    await cluster.until(() => b.elector.isLeader);
    expect(lease()?.spec).toMatchObject({ holderIdentity: 'b', leaseTransitions: 1 });
    await b.stop();
    expect(cluster.sim.requests.filter(({ status = 0 }) => status >= 400 && status !== 404)).toEqual([]);
  });

  it('lets one of two that find no Lease win', async () => {
    const a = start('a');
    const b = start('b');
    await cluster.advance(5_000);
    expect([a, b].filter(({ elector }) => elector.isLeader)).toHaveLength(1);
    await a.stop();
    await b.stop();
  });

  it('leads again after an outage, and sends no guarded write in it', async () => {
    const a = start('a');
    await cluster.until(() => a.elector.isLeader);
    await cluster.sim.faults.refuseConnections();
    await cluster.until(() => !a.elector.isLeader);
    const guarded = guardWrites(cluster.api, a.elector);
    const { signal } = new AbortController();
    const write = guarded.request({ method: 'DELETE', path: '/api/v1/nodes/node-a', operation: 'x', signal });
    await expect(write).rejects.toMatchObject({ code: 'NOT_LEADER' });

    await cluster.sim.faults.acceptConnections();
    await cluster.until(() => a.elector.isLeader);
    expect(lease()?.spec).toMatchObject({ holderIdentity: 'a', leaseTransitions: 0 });
    await a.stop();
  });
});

async function untilAborted(signal: AbortSignal): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  signal.addEventListener('abort', () => resolve(), { once: true });
  await promise;
}
