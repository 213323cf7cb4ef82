import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { DaemonSetController } from './daemon-set-controller.ts';
import { TestCluster } from './test-cluster.test-support.ts';

describe('DaemonSetController', () => {
  let test: TestCluster;
  let controller: DaemonSetController;

  beforeEach(async () => {
    test = await TestCluster.start();
    test.sim.addNode({ name: 'a' });
    test.sim.addNode({ name: 'b', ready: 'Unknown' });
    controller = new DaemonSetController(test.sim, { name: 'agent', claims: ['shared'] });
    await test.clock.advance(0);
  });
  afterEach(async () => {
    controller[Symbol.dispose]();
    await test[Symbol.asyncDispose]();
  });

  const pods = () =>
    test.sim.store.list('Pod').filter(({ metadata }) => metadata.deletionTimestamp === undefined);
  const nodes = () =>
    pods()
      .map(({ spec }) => spec?.nodeName ?? '')
      .toSorted();

  it('keeps a pod on every Node, ready or not', async () => {
    expect(nodes()).toEqual(['a', 'b']);
    expect(pods()[0]?.spec?.volumes).toMatchObject([{ persistentVolumeClaim: { claimName: 'shared' } }]);
    test.sim.addNode({ name: 'c' });
    await test.clock.advance(0);
    expect(nodes()).toEqual(['a', 'b', 'c']);
  });

  it('brings a deleted pod back under another name, however often', async () => {
    const names = new Set<string>();
    for (let times = 0; times < 3; times++) {
      const pod = pods().find(({ spec }) => spec?.nodeName === 'b');
      names.add(pod?.metadata.name ?? '');
      test.forceDelete(pod?.metadata.name);
      await test.clock.advance(0);
    }
    expect([names.size, nodes()]).toEqual([3, ['a', 'b']]);
  });
});
