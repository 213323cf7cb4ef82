import { describe, expect, it } from 'vitest';
import { FENCED_TAINT } from '../../src/model/fenced-taint.ts';
import { ReleasePass } from '../../src/pass/release-pass.ts';
import {
  nodeFact,
  persistentVolumeFact,
  podFact,
  volumeAttachmentFact,
} from '../../src/testing/fact-builders.ts';
import { FakeClock } from '../../src/testing/fake-clock.ts';
import { FakeClusterActions } from '../../src/testing/fake-cluster-actions.ts';
import { FakeClusterReader } from '../../src/testing/fake-cluster-reader.ts';
import { FakeStorageBackend, fakeFleet } from '../../src/testing/fake-storage-backend.ts';
import { testPolicy } from '../../src/testing/policy-builder.ts';
import { AttachmentManager } from '../../src/tracking/attachment-manager.ts';

/** `node-a` is Ready to Kubernetes; its Lease has been stale for long, the backend proves it silent and fenced. */
function setUp() {
  const clock = new FakeClock();
  const cluster = new FakeClusterReader(clock);
  const actions = new FakeClusterActions();
  const backend = new FakeStorageBackend(clock);
  const setNode = (node: ReturnType<typeof nodeFact>) => {
    cluster.setNode(node);
    actions.setNode(node);
  };
  for (const name of ['node-a', 'node-b', 'node-c']) setNode(nodeFact({ name }));
  const longAgoMs = clock.now() - 60_000;
  cluster.setNodeLease({ nodeName: 'node-a', uid: 'l', renewTime: 't', observedAtMs: longAgoMs });
  actions.setNodeLeaseRenewTime('node-a', 't');
  cluster.setPersistentVolume(persistentVolumeFact());
  cluster.setVolumeAttachment(volumeAttachmentFact());
  cluster.setPod(podFact());
  backend.setSilent('node-a', longAgoMs + 20_000, longAgoMs);
  const addresses = ['address-of-node-a'];
  const fence = { id: 'f1', nodeName: 'node-a', bootId: 'boot-of-node-a', fencedAtMs: longAgoMs };
  backend.fences.set('f1', { ...fence, addresses, seenSinceMs: longAgoMs });
  const pass = new ReleasePass({
    cluster,
    manager: new AttachmentManager({ clock }),
    fleet: fakeFleet(backend),
    actions,
    clock,
    leadership: { assertHeld: () => undefined },
    observer: { passed: () => undefined },
    policy: testPolicy({ earlyDetection: { enabled: true, leaseStaleMs: 20_000 } }),
    newFenceId: () => 'f2',
  });
  const run = () =>
    pass.run(
      { reasons: new Set(['deadline']), nowMs: clock.now(), reconcileId: 'r', wake: () => undefined },
      new AbortController().signal,
    );
  const writes = () =>
    actions.calls
      .map(({ kind }) => kind)
      .filter((kind) => kind !== 'getNode' && kind !== 'getNodeLeaseRenewTime');
  return { actions, backend, run, setNode, writes };
}

const marked = nodeFact({
  taints: [{ key: FENCED_TAINT, value: 'test.csi.reattach.io', effect: 'NoSchedule' }],
});

describe('early detection', () => {
  it('keeps new pods off the node before it deletes the first', async () => {
    const { run, writes } = setUp();
    await run();
    const first = ['addFencedTaint', 'forceDeletePod', 'removeVolumesInUse'];
    expect([...new Set(writes())]).toEqual(first); // the fake does not react, so the taint is added twice
  });

  it('marks the node once', async () => {
    const { run, setNode, writes } = setUp();
    setNode(marked);
    await run();
    expect(writes()).toEqual(['forceDeletePod', 'removeVolumesInUse']);
  });

  it('deletes nothing when the node cannot be marked, or lives', async () => {
    const { actions, run, writes } = setUp();
    actions.setChangeResult('node-a', 'replaced');
    await run();
    expect(new Set(writes())).toEqual(new Set(['addFencedTaint']));
    actions.setNodeLeaseRenewTime('node-a', 'renewed');
    await run();
    expect(new Set(writes())).toEqual(new Set(['addFencedTaint']));
  });

  it('does not wait for the taint where the node is NotReady: Kubernetes has its own taints for it', async () => {
    const { run, setNode, writes } = setUp();
    setNode(nodeFact({ ready: false, readyObservedAtMs: 0 }));
    await run();
    const released = writes().filter((kind) => kind !== 'addFencedTaint');
    expect(released).toEqual(['forceDeletePod', 'removeVolumesInUse']);
  });
});
