import assert from 'node:assert/strict';
import fc from 'fast-check';
import { describe, it } from 'vitest';
import { type FakeControllers, startFakeControllers } from './fake-controllers.ts';
import { OUT_OF_SERVICE_TAINT, taintsOf } from './node-state.ts';
import { DRIVER, TestCluster, VOLUME } from './test-cluster.test-support.ts';

const NODES = ['a', 'b', 'c'] as const;

/** What may befall a cluster; each does nothing when there is nothing to do it to. */
const BLOWS = {
  'stop a kubelet': ({ fakes, node }) => fakes.kubelet(node).stop(),
  'start a kubelet': ({ fakes, node }) => fakes.kubelet(node).start(),
  'reboot a machine': ({ fakes, node }) => {
    fakes.kubelet(node).stop();
    fakes.kubelet(node).start({ rebooted: true });
  },
  'delete a Node': ({ test, node }) => {
    if (test.sim.store.get('Node', node)) test.sim.store.delete('Node', node);
  },
  'empty volumesInUse': ({ test, node }) => {
    if (test.sim.store.get('Node', node))
      test.sim.store.patch('Node', node, { status: { volumesInUse: [] } });
  },
  'taint out of service': ({ test, node }) => {
    const target = test.sim.store.get('Node', node);
    const taints = [...taintsOf(target), { key: OUT_OF_SERVICE_TAINT, effect: 'NoExecute' }];
    if (target) test.sim.store.patch('Node', node, { spec: { taints } });
  },
  'delete a VolumeAttachment': ({ test, node }) => {
    const name = test.attachment(node)?.metadata.name;
    if (name) test.sim.store.delete('VolumeAttachment', name);
  },
  'delete the pod': ({ test }) => {
    if (test.pod()) test.sim.store.delete('Pod', 'db-0');
  },
  'force-delete the pod': ({ test }) => {
    if (test.pod()) test.forceDelete();
  },
} satisfies Record<string, (at: { test: TestCluster; fakes: FakeControllers; node: string }) => void>;

const blows = fc.array(
  fc.record({
    name: fc.constantFrom(...(Object.keys(BLOWS) as (keyof typeof BLOWS)[])),
    node: fc.constantFrom(...NODES),
    thenAdvanceMs: fc.oneof(fc.nat(2_000), fc.nat(400_000)),
  }),
  { maxLength: 25 },
);

/** Every machine is there again and works. */
function heal(test: TestCluster, fakes: FakeControllers): void {
  for (const name of NODES) {
    const kubelet = fakes.kubelet(name);
    kubelet.stop();
    kubelet.start();
    const taints = taintsOf(test.sim.store.get('Node', name)).filter(
      ({ key }) => key !== OUT_OF_SERVICE_TAINT,
    );
    test.sim.store.patch('Node', name, { spec: { taints } });
  }
}

describe('startFakeControllers', () => {
  it('never attach one volume twice, and bring its pod up once all nodes are well', async () => {
    await fc.assert(
      fc.asyncProperty(blows, async (script) => {
        await using test = await TestCluster.start();
        for (const name of NODES) test.sim.addNode({ name });
        using fakes = startFakeControllers(test.sim, { drivers: [DRIVER] });
        test.sim.addVolume(VOLUME);
        test.sim.addStatefulSet({ name: 'db' });
        using _watch = test.sim.store.subscribe(() => {
          assert.ok(test.sim.store.list('VolumeAttachment').length <= 1, 'attached to two nodes');
        });
        await test.clock.advance(5_000);
        for (const { name, node, thenAdvanceMs } of script) {
          BLOWS[name]({ test, fakes, node });
          await test.clock.advance(thenAdvanceMs);
        }
        heal(test, fakes);
        await test.clock.advance(600_000);
        const { spec, status, metadata } = test.pod() ?? {};
        assert.equal(status?.phase, 'Running');
        assert.equal(metadata?.deletionTimestamp, undefined);
        const mounting = NODES.filter((name) => fakes.kubelet(name).mounted.length > 0);
        assert.deepEqual(mounting, [spec?.nodeName]);
        assert.ok(test.isAttached(spec?.nodeName ?? ''));
      }),
      { numRuns: 40 },
    );
  });
});
