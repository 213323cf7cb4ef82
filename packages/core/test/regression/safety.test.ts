import { describe, expect, it } from 'vitest';
import { FENCED_TAINT } from '../../src/model/fenced-taint.ts';
import type { Policy } from '../../src/model/policy.ts';
import { ipAddresses } from '../../src/model/storage-address.ts';
import type { PassReport } from '../../src/pass/pass-report.ts';
import { ReleasePass } from '../../src/pass/release-pass.ts';
import { PassReporter } from '../../src/report/pass-reporter.ts';
import {
  nodeFact,
  persistentVolumeFact,
  podFact,
  TEST_ATTACHER,
  volumeAttachmentFact,
} from '../../src/testing/fact-builders.ts';
import { FakeClock } from '../../src/testing/fake-clock.ts';
import { FakeClusterActions } from '../../src/testing/fake-cluster-actions.ts';
import { FakeClusterReader } from '../../src/testing/fake-cluster-reader.ts';
import { FakeStorageBackend, fakeFleet } from '../../src/testing/fake-storage-backend.ts';
import { testPolicy } from '../../src/testing/policy-builder.ts';
import { RecordingLogger } from '../../src/testing/recording-logger.ts';
import { AttachmentManager } from '../../src/tracking/attachment-manager.ts';
import { fenceAt } from '../pass-fixture.ts';

const FENCED = { key: FENCED_TAINT, value: TEST_ATTACHER, effect: 'NoSchedule' };

/** node-a is NotReady for a minute and silent at both backends; node-b to node-e are Ready; `pv-a` is at backend-a, `pv-b` at backend-b. */
function setUp(policy: Partial<Policy> = {}) {
  const clock = new FakeClock();
  const cluster = new FakeClusterReader(clock);
  const actions = new FakeClusterActions();
  const backendA = new FakeStorageBackend(clock, 'backend-a');
  const backendB = new FakeStorageBackend(clock, 'backend-b');
  const longAgoMs = clock.now() - 60_000;
  const setNode = (node: ReturnType<typeof nodeFact>) => {
    cluster.setNode(node);
    actions.setNode(node);
  };
  const lost = nodeFact({ ready: false, readyObservedAtMs: longAgoMs, taints: [FENCED] });
  setNode(lost);
  for (const name of ['node-b', 'node-c', 'node-d', 'node-e']) setNode(nodeFact({ name }));
  for (const [name, address] of [
    ['pv-a', 'backend-a'],
    ['pv-b', 'backend-b'],
  ] as const) {
    cluster.setPersistentVolume(persistentVolumeFact({ name, volumeAttributes: { address } }));
  }
  for (const backend of [backendA, backendB]) backend.setSilent('node-a', longAgoMs);
  const reports: PassReport[] = [];
  const options = () => ({
    cluster,
    manager: new AttachmentManager({ clock }),
    fleet: fakeFleet(backendA, backendB),
    actions,
    clock,
    leadership: { assertHeld: () => undefined },
    observer: { passed: (report: PassReport) => void reports.push(report) },
    policy: testPolicy(policy),
    newFenceId: () => `fence-${backendA.calls.length + backendB.calls.length}`,
  });
  let pass = new ReleasePass(options());
  const { signal } = new AbortController();
  const run = () =>
    pass.run(
      { reasons: new Set(['periodic']), nowMs: clock.now(), reconcileId: 'r', wake: () => undefined },
      signal,
    );
  const restart = () => void (pass = new ReleasePass(options()));
  const attach = (...names: readonly string[]) => {
    for (const persistentVolumeName of names)
      cluster.setVolumeAttachment(volumeAttachmentFact({ persistentVolumeName }));
  };
  const fenceAll = () => [backendA, backendB].forEach((backend) => fenceAt(backend, longAgoMs));
  const writes = () => actions.calls.map(({ kind }) => kind).filter((kind) => !kind.startsWith('getNode'));
  return {
    clock,
    cluster,
    actions,
    backendA,
    backendB,
    setNode,
    lost,
    reports,
    run,
    restart,
    attach,
    fenceAll,
    writes,
  };
}

const OURS = { key: 'node.kubernetes.io/out-of-service', value: 'test.csi.reattach.io', effect: 'NoExecute' };

describe('safety review', () => {
  it('1 does not taint a node out of service while one of its volumes may still be written to', async () => {
    const { attach, backendA, backendB, run, writes } = setUp({ strategy: 'out-of-service' });
    attach('pv-a', 'pv-b');
    fenceAt(backendA, 0);
    backendB.setLive('node-a');
    await run();
    expect(writes()).not.toContain('addOutOfServiceTaint');
  });

  it('1b taints it once all of its volumes may go', async () => {
    const { attach, fenceAll, clock, run, writes } = setUp({ strategy: 'out-of-service' });
    fenceAll();
    attach('pv-a', 'pv-b');
    await run();
    await clock.advance(2_000);
    await run();
    expect(writes()).toContain('addOutOfServiceTaint');
  });

  it('2 does not delete a pod that also uses a volume which may still be written to', async () => {
    const { attach, backendA, backendB, cluster, run, writes } = setUp();
    attach('pv-a', 'pv-b');
    fenceAt(backendA, 0);
    cluster.setPod(podFact({ claimNames: ['claim-of-pv-a', 'claim-of-pv-b'] }));
    backendB.setLive('node-a');
    await run();
    expect(writes()).toEqual([]);
  });

  it('2b releases a pod with volumes at two backends once both may go', async () => {
    const { attach, fenceAll, clock, cluster, run, writes } = setUp();
    fenceAll();
    attach('pv-a', 'pv-b');
    cluster.setPod(podFact({ claimNames: ['claim-of-pv-a', 'claim-of-pv-b'] }));
    await run();
    await clock.advance(2_000);
    await run();
    expect(writes()).toEqual(expect.arrayContaining(['forceDeletePod', 'removeVolumesInUse']));
  });

  it('3 keeps the out-of-service taint while a VolumeAttachment of ours at any backend is left, and removes it once', async () => {
    const { attach, cluster, setNode, run, writes } = setUp({ strategy: 'out-of-service' });
    attach('pv-a');
    setNode(nodeFact({ taints: [OURS], bootId: 'second', outOfServiceBootId: 'first' }));
    await run();
    expect(writes()).not.toContain('removeOutOfServiceTaint');
    cluster.removeVolumeAttachment('va-pv-a-node-a');
    await run();
    expect(writes().filter((kind) => kind === 'removeOutOfServiceTaint')).toHaveLength(1);
  });

  it('4 completes no fence of another boot under its id: that bootID would prove the node clean', async () => {
    const { attach, backendA, clock, setNode, lost, run } = setUp();
    attach('pv-a');
    setNode({ ...lost, bootId: 'second', storageAddresses: ['address-1', 'address-2'] });
    const old = { id: 'old', nodeName: 'node-a', bootId: 'first', fencedAtMs: clock.now() - 900_000 };
    backendA.fences.set('old', { ...old, addresses: ['address-1'], seenSinceMs: clock.now() });
    await run();
    expect(backendA.calls).toMatchObject([
      { kind: 'fence', fence: { bootId: 'second' }, addresses: ['address-1', 'address-2'] },
    ]);
  });

  it('5 fences nothing, and says so, when no address of the node is known', async () => {
    const { attach, backendA, setNode, lost, run, reports } = setUp();
    attach('pv-a');
    setNode({ ...lost, storageAddresses: [] });
    await run();
    expect(backendA.calls).toEqual([]);
    expect(reports[0]?.decisions[0]?.verdict).toMatchObject({ kind: 'hold', reason: 'storage-unknown' });
  });

  it('6 tries the strategy first when a node is lost again, however long ago it was lost before', async () => {
    const { attach, fenceAll, clock, setNode, lost, run, writes } = setUp();
    fenceAll();
    attach('pv-a');
    await run();
    setNode({ ...lost, ready: true, bootId: 'second' });
    await clock.advance(3_600_000);
    await run();
    setNode({ ...lost, bootId: 'second', readyObservedAtMs: clock.now() });
    for (let time = 0; time < 5; time++) {
      await clock.advance(15_000);
      await run();
    }
    expect(writes().slice(0, 2)).toEqual(['removeVolumesInUse', 'removeVolumesInUse']);
  });

  it('7 counts the detach time-out from the first detach that was asked for, not from failed attempts', async () => {
    const { attach, fenceAll, actions, clock, run, writes } = setUp();
    fenceAll();
    attach('pv-a');
    actions.before = ({ kind }) => {
      if (kind === 'removeVolumesInUse') throw new Error('scripted');
    };
    await run();
    await clock.advance(120_000);
    await run();
    expect(writes()).toEqual(['removeVolumesInUse', 'removeVolumesInUse']);
  });

  it('8 reports no delete of a pod that was gone already', async () => {
    const { attach, fenceAll, actions, cluster, run, reports } = setUp();
    fenceAll();
    attach('pv-a');
    cluster.setPod(podFact());
    actions.setDeleteResult('pod-a', 'gone');
    await run();
    expect(reports[0]?.effects.map(({ kind }) => kind)).toEqual(['detach-requested']);
  });

  it('9 does not take Nodes that an unsynced cache lacks for a mass failure later', async () => {
    const { attach, fenceAll, cluster, clock, run, reports } = setUp();
    fenceAll();
    attach('pv-a');
    cluster.synced = false;
    const names = ['node-b', 'node-c', 'node-d', 'node-e'];
    for (const nodeName of names) {
      cluster.removeNode(nodeName);
      cluster.setVolumeAttachment(volumeAttachmentFact({ persistentVolumeName: `pv-${nodeName}`, nodeName }));
    }
    await run();
    for (const name of names) cluster.setNode(nodeFact({ name }));
    cluster.synced = true;
    await clock.advance(1_000);
    await run();
    const verdict = reports[1]?.decisions.find(({ attachment }) => attachment.nodeName === 'node-a')?.verdict;
    expect(verdict).toMatchObject({ kind: 'release' });
  });

  it('10 says nothing of attachments of other attachers, not even on a stale cache', async () => {
    const { cluster, run, reports } = setUp();
    cluster.setVolumeAttachment(volumeAttachmentFact({ attacher: 'other.csi.example' }));
    cluster.synced = false;
    await run();
    const logger = new RecordingLogger();
    await using reporter = new PassReporter({ logger });
    for (const report of reports) reporter.passed(report, new AbortController().signal);
    expect(logger.lines).toEqual([]);
  });

  it('11 finishes a release after a crash between pod and VolumeAttachment of a Node that is forgotten', async () => {
    const { attach, backendA, clock, cluster, actions, run, restart, writes } = setUp();
    attach('pv-a');
    cluster.setPod(podFact());
    cluster.removeNode('node-a', { forgotten: true });
    actions.removeNode('node-a');
    const step = async () => {
      await clock.advance(10_000);
      await run();
    };
    let isCut = true;
    actions.before = ({ kind }) => {
      if (isCut && kind === 'deleteVolumeAttachment') throw new Error('cut');
    };
    for (let count = 0; count < 8; count++) await step();
    expect(writes()).toContain('forceDeletePod');
    cluster.removePod('default', 'pod-a');
    isCut = false;
    actions.calls.length = 0;
    restart();
    for (let count = 0; count < 8; count++) await step();
    expect(backendA.observations.at(-1)?.suspects).toMatchObject([
      { addresses: ipAddresses(['address-of-node-a']) },
    ]);
    expect(writes()).toContain('deleteVolumeAttachment');
  });

  it('12 counts the grace of a Node that is gone from its present absence', async () => {
    const { attach, cluster, clock, setNode, lost, run, reports } = setUp();
    attach('pv-a');
    cluster.removeNode('node-a');
    await run();
    await clock.advance(29_000);
    setNode({ ...lost, uid: 'another', readyObservedAtMs: clock.now() });
    await run();
    cluster.removeNode('node-a', { forgotten: true });
    await clock.advance(2_000);
    await run();
    expect(reports[2]?.decisions[0]?.node).toMatchObject({ kind: 'gone', sinceMs: clock.now() });
  });

  it('13 tells the observer what one backend did although the part of another fails', async () => {
    const { attach, fenceAll, backendB, run, reports } = setUp();
    fenceAll();
    attach('pv-a', 'pv-b');
    backendB.before = () => {
      throw new Error('scripted');
    };
    await expect(run()).rejects.toThrow('scripted');
    expect(reports[0]?.effects.map(({ kind }) => kind)).toEqual(['detach-requested']);
  });

  it('14 looks at the Node live before it removes the taint', async () => {
    const { actions, setNode, run } = setUp({ strategy: 'out-of-service' });
    setNode(nodeFact({ taints: [OURS], bootId: 'second', outOfServiceBootId: 'first' }));
    actions.setNode(nodeFact({ uid: 'another', taints: [OURS] }));
    await run();
    expect(actions.calls.map(({ kind }) => kind)).not.toContain('removeOutOfServiceTaint');
  });
});
