import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Scheduler } from './scheduler.ts';
import { TestCluster, VOLUME } from './test-cluster.test-support.ts';

describe('Scheduler', () => {
  let test: TestCluster;
  let scheduler: Scheduler;

  beforeEach(async () => {
    test = await TestCluster.start();
    scheduler = new Scheduler(test.sim);
  });
  afterEach(async () => {
    scheduler[Symbol.dispose]();
    await test[Symbol.asyncDispose]();
  });

  const nodeOf = async (name: string) => {
    await test.clock.advance(0);
    return test.pod(name)?.spec?.nodeName;
  };

  it('takes the node with the fewest pods, then the first by name', async () => {
    for (const name of ['b', 'a', 'c']) test.sim.addNode({ name });
    test.sim.addPod({ name: 'x', nodeName: 'a' });
    for (const name of ['p1', 'p2', 'p3']) test.sim.addPod({ name });
    expect([await nodeOf('p1'), await nodeOf('p2'), await nodeOf('p3')]).toEqual(['b', 'c', 'a']);
  });

  it('passes over nodes that are not Ready, cordoned or tainted', async () => {
    test.sim.addNode({ name: 'dead', ready: 'Unknown' });
    test.sim.addNode({ name: 'cordoned' });
    test.sim.store.patch('Node', 'cordoned', { spec: { unschedulable: true } });
    test.sim.addNode({ name: 'tainted', taints: [{ key: 'dedicated', value: 'db', effect: 'NoSchedule' }] });
    test.sim.addPod({ name: 'p' });
    expect(await nodeOf('p')).toBeUndefined();
    const tolerations = [{ key: 'dedicated', value: 'db', effect: 'NoSchedule' }];
    test.sim.store.patch('Pod', 'p', { spec: { tolerations } }, 'default');
    expect(await nodeOf('p')).toBe('tainted');
  });

  it('waits until the claims of a pod are bound', async () => {
    test.sim.addNode({ name: 'a' });
    test.sim.addPod({ name: 'db-0', claims: ['data-db-0'] });
    expect(await nodeOf('db-0')).toBeUndefined();
    test.sim.addVolume(VOLUME);
    expect(await nodeOf('db-0')).toBe('a');
  });
});
