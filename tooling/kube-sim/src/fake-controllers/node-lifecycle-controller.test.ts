import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { microTimestamp } from '../timestamp.ts';
import { NodeLifecycleController } from './node-lifecycle-controller.ts';
import { isReady, OUT_OF_SERVICE_TAINT } from './node-state.ts';
import { TestCluster } from './test-cluster.test-support.ts';

describe('NodeLifecycleController', () => {
  let test: TestCluster;
  let controller: NodeLifecycleController;

  beforeEach(async () => {
    test = await TestCluster.start();
    test.sim.addNode({ name: 'a' });
    test.sim.addNode({ name: 'b' });
    controller = new NodeLifecycleController(test.sim);
  });
  afterEach(async () => {
    controller[Symbol.dispose]();
    await test[Symbol.asyncDispose]();
  });

  const node = (name: string) => test.sim.store.get('Node', name);
  const taints = (name: string) => node(name)?.spec?.taints?.map(({ key, effect }) => `${key}:${effect}`);
  const renew = (name: string) =>
    test.sim.store.patch(
      'Lease',
      name,
      { spec: { renewTime: microTimestamp(test.clock.now()) } },
      'kube-node-lease',
    );

  const deletedAt = (name: string) => test.pod(name)?.metadata.deletionTimestamp;

  /** Time passes; node `b` lives, and `a` too when asked for. */
  async function pass(durationMs: number, alive: readonly string[] = ['b']): Promise<void> {
    const endMs = test.clock.now() + durationMs;
    while (test.clock.now() < endMs) {
      for (const name of alive) renew(name);
      await test.clock.advance(Math.min(10_000, endMs - test.clock.now()));
    }
  }

  it('keeps a node Ready whose Lease is renewed', async () => {
    await pass(600_000, ['a', 'b']);
    expect([isReady(node('a')), taints('a')]).toEqual([true, undefined]);
  });

  it('says Unknown and taints after the grace period, with the time of the transition', async () => {
    await pass(49_000);
    expect(isReady(node('a'))).toBe(true);
    await pass(6_000);
    expect(node('a')?.status?.conditions?.[0]).toMatchObject({
      status: 'Unknown',
      reason: 'NodeStatusUnknown',
      lastTransitionTime: '2026-01-01T00:00:50Z',
    });
    expect(taints('a')).toEqual([
      'node.kubernetes.io/unreachable:NoSchedule',
      'node.kubernetes.io/unreachable:NoExecute',
    ]);
    expect(isReady(node('b'))).toBe(true);
  });

  it('takes its own taints off when the kubelet says Ready', async () => {
    test.sim.store.patch('Node', 'a', { spec: { taints: [{ key: 'mine', effect: 'NoSchedule' }] } });
    await pass(60_000);
    expect(taints('a')).toHaveLength(3);
    test.sim.store.patch('Node', 'a', { status: { conditions: [{ type: 'Ready', status: 'True' }] } });
    await pass(10_000, ['a', 'b']);
    expect(taints('a')).toEqual(['mine:NoSchedule']);
  });

  it('taints not-ready when the kubelet says so', async () => {
    test.sim.store.patch('Node', 'a', { status: { conditions: [{ type: 'Ready', status: 'False' }] } });
    await test.clock.advance(0);
    expect(taints('a')).toEqual([
      'node.kubernetes.io/not-ready:NoSchedule',
      'node.kubernetes.io/not-ready:NoExecute',
    ]);
  });

  it('stops evicting when no node is Ready', async () => {
    await pass(60_000);
    expect(taints('a')).toHaveLength(2);
    await pass(60_000, []);
    expect([taints('a'), taints('b')]).toEqual([
      ['node.kubernetes.io/unreachable:NoSchedule'],
      ['node.kubernetes.io/unreachable:NoSchedule'],
    ]);
  });

  describe('taint eviction', () => {
    it('makes pods Terminating after 300 s and never removes them', async () => {
      test.sim.addPod({ name: 'db-0', nodeName: 'a' });
      await pass(349_000);
      expect(deletedAt('db-0')).toBeUndefined();
      await pass(1_000);
      expect(deletedAt('db-0')).toBe('2026-01-01T00:06:20Z');
      await pass(3_600_000);
      expect(test.pod()).toBeDefined();
    });

    it('forgets a node that came back in time', async () => {
      test.sim.addPod({ name: 'db-0', nodeName: 'a' });
      await pass(300_000);
      test.sim.store.patch('Node', 'a', { status: { conditions: [{ type: 'Ready', status: 'True' }] } });
      await pass(600_000, ['a', 'b']);
      await pass(300_000);
      expect(deletedAt('db-0')).toBeUndefined();
      await pass(60_000);
      expect(deletedAt('db-0')).toBeDefined();
    });

    it('deletes at once for a taint that no pod tolerates by default', async () => {
      test.sim.addPod({ name: 'db-0', nodeName: 'a' });
      test.sim.store.patch('Node', 'a', {
        spec: { taints: [{ key: OUT_OF_SERVICE_TAINT, effect: 'NoExecute' }] },
      });
      await test.clock.advance(0);
      expect(deletedAt('db-0')).toBeDefined();
    });

    it('keeps to the tolerations of a pod', async () => {
      test.sim.addPod({ name: 'daemon', nodeName: 'a' });
      test.sim.addPod({ name: 'patient', nodeName: 'a' });
      test.sim.store.patch('Pod', 'daemon', { spec: { tolerations: [{ operator: 'Exists' }] } }, 'default');
      const key = 'node.kubernetes.io/unreachable';
      const tolerations = [{ key, operator: 'Exists', effect: 'NoExecute', tolerationSeconds: 900 }];
      test.sim.store.patch('Pod', 'patient', { spec: { tolerations } }, 'default');
      await pass(949_000);
      expect(deletedAt('patient')).toBeUndefined();
      await pass(1_000);
      expect([deletedAt('patient'), deletedAt('daemon')]).toEqual([expect.any(String), undefined]);
    });
  });
});
