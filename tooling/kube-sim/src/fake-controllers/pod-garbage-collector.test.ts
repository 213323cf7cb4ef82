import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Change } from '../object-store.ts';
import { OUT_OF_SERVICE_TAINT } from './node-state.ts';
import { PodGarbageCollector } from './pod-garbage-collector.ts';
import { TestCluster } from './test-cluster.test-support.ts';

describe('PodGarbageCollector', () => {
  let test: TestCluster;
  let collector: PodGarbageCollector;

  beforeEach(async () => {
    test = await TestCluster.start();
    test.sim.addNode({ name: 'a' });
    test.sim.addPod({ name: 'db-0', nodeName: 'a' });
    collector = new PodGarbageCollector(test.sim);
    await test.clock.advance(25_000);
  });
  afterEach(async () => {
    collector[Symbol.dispose]();
    await test[Symbol.asyncDispose]();
  });

  const markUnready = () =>
    test.sim.store.patch('Node', 'a', { status: { conditions: [{ type: 'Ready', status: 'Unknown' }] } });
  const taint = () =>
    test.sim.store.patch('Node', 'a', {
      spec: { taints: [{ key: OUT_OF_SERVICE_TAINT, effect: 'NoExecute' }] },
    });

  it('force-deletes the pods of a deleted Node after 40 to 80 s, marked Failed', async () => {
    const changes: Change[] = [];
    using _subscription = test.sim.store.subscribe((change) => changes.push(change));
    test.sim.store.delete('Node', 'a');
    const waitMs = await test.until(() => !test.pod(), 100_000);
    expect(waitMs).toBeGreaterThanOrEqual(40_000);
    expect(waitMs).toBeLessThanOrEqual(80_000);
    expect(changes.at(-1)).toMatchObject({
      type: 'DELETED',
      object: { status: { phase: 'Failed', conditions: [{ type: 'DisruptionTarget', status: 'True' }] } },
    });
  });

  it('forgets its suspicion when the Node is back', async () => {
    test.sim.store.delete('Node', 'a');
    await test.clock.advance(30_000);
    test.sim.addPod({ name: 'other', nodeName: 'a' });
    test.sim.store.create({ kind: 'Node', metadata: { name: 'a' } });
    await test.clock.advance(20_000);
    test.sim.store.delete('Node', 'a');
    await test.clock.advance(39_000);
    expect(test.pod()).toBeDefined();
  });

  it('force-deletes Terminating pods on a node that is not Ready and out of service', async () => {
    test.sim.addPod({ name: 'stays', nodeName: 'a' });
    test.sim.store.delete('Pod', 'db-0');
    markUnready();
    await test.clock.advance(60_000);
    expect(test.pod()).toBeDefined();
    taint();
    await test.clock.advance(20_000);
    expect([test.pod(), test.pod('stays')?.metadata.name]).toEqual([undefined, 'stays']);
  });

  it('leaves Terminating pods on a Ready node out of service alone', async () => {
    test.sim.store.delete('Pod', 'db-0');
    taint();
    await test.clock.advance(600_000);
    expect(test.pod()).toBeDefined();
  });

  it('leaves pods without a node alone', async () => {
    test.sim.addPod({ name: 'pending' });
    await test.clock.advance(600_000);
    expect(test.pod('pending')).toBeDefined();
  });
});
