import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { StatefulSetController } from './stateful-set-controller.ts';
import { TestCluster } from './test-cluster.test-support.ts';

describe('StatefulSetController', () => {
  let test: TestCluster;
  let controller: StatefulSetController;

  beforeEach(async () => {
    test = await TestCluster.start();
    controller = new StatefulSetController(test.sim);
  });
  afterEach(async () => {
    controller[Symbol.dispose]();
    await test[Symbol.asyncDispose]();
  });

  const names = () => test.sim.store.list('Pod').map(({ metadata }) => metadata.name);
  const run = async (name: string) => {
    const bound = { spec: { nodeName: 'a' }, status: { phase: 'Running' } };
    test.sim.store.patch('Pod', name, bound, 'default');
    await test.clock.advance(0);
  };

  it('creates its pods one after another, each with its own claim and owner', async () => {
    const set = test.sim.addStatefulSet({ name: 'db', replicas: 2 });
    await test.clock.advance(0);
    expect(names()).toEqual(['db-0']);
    await run('db-0');
    expect(names()).toEqual(['db-0', 'db-1']);
    expect(test.pod('db-1')).toMatchObject({
      metadata: {
        labels: { app: 'db' },
        ownerReferences: [{ kind: 'StatefulSet', name: 'db', uid: set.metadata.uid, controller: true }],
      },
      spec: { volumes: [{ persistentVolumeClaim: { claimName: 'data-db-1' } }] },
    });
    await run('db-1');
    await test.clock.advance(60_000);
    expect(names()).toEqual(['db-0', 'db-1']);
  });

  it('creates them together with policy Parallel', async () => {
    test.sim.addStatefulSet({ name: 'db', replicas: 3 });
    test.sim.store.patch('StatefulSet', 'db', { spec: { podManagementPolicy: 'Parallel' } });
    await test.clock.advance(0);
    expect(names()).toEqual(['db-0', 'db-1', 'db-2']);
  });

  it('waits for a Terminating pod to go before it creates the next of that name', async () => {
    test.sim.addStatefulSet({ name: 'db' });
    await test.clock.advance(0);
    await run('db-0');
    const { uid } = test.pod()?.metadata ?? {};
    test.sim.store.delete('Pod', 'db-0');
    await test.clock.advance(3_600_000);
    expect(test.pod()?.metadata.uid).toBe(uid);
    test.forceDelete();
    await test.clock.advance(0);
    expect(test.pod()?.metadata.uid).not.toBe(uid);
    expect(test.pod()?.metadata.deletionTimestamp).toBeUndefined();
  });

  it('replaces a Failed pod', async () => {
    test.sim.addStatefulSet({ name: 'db' });
    await test.clock.advance(0);
    const { uid } = test.pod()?.metadata ?? {};
    test.sim.store.patch('Pod', 'db-0', { status: { phase: 'Failed' } }, 'default');
    await test.clock.advance(0);
    expect(test.pod()?.metadata.uid).not.toBe(uid);
    expect(test.pod()?.status?.phase).toBe('Pending');
  });
});
