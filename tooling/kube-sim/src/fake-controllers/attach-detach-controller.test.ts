import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { AttachDetachController } from './attach-detach-controller.ts';
import { ExternalAttacher } from './external-attacher.ts';
import { OUT_OF_SERVICE_TAINT } from './node-state.ts';
import { DRIVER, IN_USE, TestCluster, VOLUME } from './test-cluster.test-support.ts';

/** Longest time an immediate reaction takes: one loop of 100 ms for the controller, attacher without delay. */
const AT_ONCE_MS = 200;

describe('AttachDetachController', () => {
  let test: TestCluster;
  let controller: AttachDetachController;
  let attacher: ExternalAttacher;

  beforeEach(async () => {
    test = await TestCluster.start();
    controller = new AttachDetachController(test.sim);
    attacher = new ExternalAttacher(test.sim, { driver: DRIVER, attachMs: 0, detachMs: 0 });
  });
  afterEach(async () => {
    controller[Symbol.dispose]();
    attacher[Symbol.dispose]();
    await test[Symbol.asyncDispose]();
  });

  function setInUse(nodeName: string, volumesInUse: readonly string[]): void {
    test.sim.store.patch('Node', nodeName, { status: { volumesInUse } });
  }

  function setReady(nodeName: string, status: 'True' | 'Unknown'): void {
    test.sim.store.patch('Node', nodeName, { status: { conditions: [{ type: 'Ready', status }] } });
  }

  /** Node `a` with the pod and its volume attached and in use, and node `b`. */
  async function podOnNodeA(accessModes: readonly string[] = ['ReadWriteOnce']): Promise<void> {
    test.sim.addNode({ name: 'a' });
    test.sim.addNode({ name: 'b' });
    test.sim.addVolume({ ...VOLUME, accessModes });
    test.sim.addPod({ name: 'db-0', nodeName: 'a', claims: ['data-db-0'] });
    await test.clock.advance(AT_ONCE_MS);
    setInUse('a', [IN_USE]);
    await test.clock.advance(AT_ONCE_MS);
    expect(test.isAttached('a')).toBe(true);
  }

  const addPodOnB = () => test.sim.addPod({ name: 'db-1', nodeName: 'b', claims: ['data-db-0'] });
  const warnings = () => test.sim.store.list('Event').map(({ reason, message }) => [reason, message]);
  const volumesAttached = (nodeName: string) =>
    test.sim.store.get('Node', nodeName)?.status?.volumesAttached?.map(({ name }) => name);

  it('attaches the volumes of a bound pod and lists them on its Node', async () => {
    await podOnNodeA();
    expect(test.attachment('a')).toMatchObject({
      spec: { attacher: DRIVER, nodeName: 'a', source: { persistentVolumeName: 'pv-0' } },
    });
    expect(volumesAttached('a')).toEqual([IN_USE]);
  });

  it('detaches at once what is not in use', async () => {
    await podOnNodeA();
    setInUse('a', []);
    test.forceDelete();
    await test.clock.advance(AT_ONCE_MS);
    expect(test.attachment('a')).toBeUndefined();
    expect(volumesAttached('a')).toEqual([]);
  });

  it('detaches at once when the entry is removed from volumesInUse of a dead node', async () => {
    await podOnNodeA();
    setReady('a', 'Unknown');
    test.forceDelete();
    addPodOnB();
    await test.clock.advance(300_000);
    expect(test.isAttached('a')).toBe(true);
    setInUse('a', []);
    await test.clock.advance(AT_ONCE_MS);
    expect([test.attachment('a'), test.isAttached('b')]).toEqual([undefined, true]);
  });

  it('force-detaches from a node that is not Ready only after six minutes', async () => {
    await podOnNodeA();
    setReady('a', 'Unknown');
    await test.clock.advance(3_600_000);
    test.forceDelete();
    expect(await test.until(() => !test.attachment('a'), 400_000)).toBe(360_100);
  });

  it('never force-detaches from a Ready node, until it is not', async () => {
    await podOnNodeA();
    test.forceDelete();
    await test.clock.advance(3_600_000);
    expect(test.isAttached('a')).toBe(true);
    setReady('a', 'Unknown');
    await test.clock.advance(AT_ONCE_MS);
    expect(test.attachment('a')).toBeUndefined();
  });

  it('never force-detaches with an infinite time', async () => {
    controller[Symbol.dispose]();
    controller = new AttachDetachController(test.sim, { forceDetachMs: Number.POSITIVE_INFINITY });
    await podOnNodeA();
    setReady('a', 'Unknown');
    test.forceDelete();
    await test.clock.advance(3_600_000);
    expect(test.isAttached('a')).toBe(true);
  });

  it('starts the six minutes again when a pod needed the volume meanwhile', async () => {
    await podOnNodeA();
    setReady('a', 'Unknown');
    test.forceDelete();
    await test.clock.advance(350_000);
    test.sim.addPod({ name: 'db-0', nodeName: 'a', claims: ['data-db-0'] });
    await test.clock.advance(20_000);
    test.forceDelete();
    expect(await test.until(() => !test.attachment('a'), 400_000)).toBe(360_100);
  });

  it('detaches at once from a node out of service, Ready or not', async () => {
    await podOnNodeA();
    test.forceDelete();
    const taint = { key: OUT_OF_SERVICE_TAINT, value: 'nodeshutdown', effect: 'NoExecute' };
    test.sim.store.patch('Node', 'a', { spec: { taints: [taint] } });
    await test.clock.advance(AT_ONCE_MS);
    expect(test.attachment('a')).toBeUndefined();
  });

  it('keeps the last volumesInUse of a deleted Node and waits six minutes', async () => {
    await podOnNodeA();
    test.sim.store.delete('Node', 'a');
    test.forceDelete();
    expect(await test.until(() => !test.attachment('a'), 400_000)).toBe(360_100);
  });

  it('detaches at once when the deleted Node had no volume in use', async () => {
    await podOnNodeA();
    setInUse('a', []);
    test.sim.store.delete('Node', 'a');
    test.forceDelete();
    await test.clock.advance(AT_ONCE_MS);
    expect(test.attachment('a')).toBeUndefined();
  });

  it('detaches at once from a deleted Node with the option that Kubernetes is about to get', async () => {
    controller[Symbol.dispose]();
    controller = new AttachDetachController(test.sim, { detachesFromDeletedNodes: true });
    await podOnNodeA();
    test.sim.store.delete('Node', 'a');
    await test.clock.advance(AT_ONCE_MS);
    expect(test.isAttached('a')).toBe(true); // its pod is still there
    test.forceDelete();
    await test.clock.advance(AT_ONCE_MS);
    expect(test.attachment('a')).toBeUndefined();
  });

  it.each([
    ['runs', [{ name: 'main', state: { running: {} } }], true],
    ['waits to start', [{ name: 'main', state: { waiting: {} } }], false],
    ['has ended', [{ name: 'main', state: { terminated: {} } }], false],
    ['was never reported', [], false],
  ])(
    'of a Terminating pod whose container %s, keeps the volume attached',
    async (_what, containerStatuses, kept) => {
      await podOnNodeA();
      setInUse('a', []);
      test.sim.store.delete('Pod', 'db-0');
      test.sim.store.patch('Pod', 'db-0', { status: { containerStatuses } });
      await test.clock.advance(AT_ONCE_MS);
      expect(test.isAttached('a')).toBe(kept);
    },
  );

  it('notices a VolumeAttachment that others deleted only at its sync, whatever is in use', async () => {
    await podOnNodeA();
    await test.clock.advance(20_000);
    test.forceDelete();
    addPodOnB();
    test.sim.store.delete('VolumeAttachment', test.attachment('a')?.metadata.name ?? '');
    await test.clock.advance(AT_ONCE_MS);
    expect(test.attachment('a')).toBeUndefined();
    const waitMs = await test.until(() => test.isAttached('b'), 60_000);
    expect(waitMs).toBeGreaterThan(30_000);
    expect(test.sim.store.get('Node', 'a')?.status?.volumesInUse).toEqual([IN_USE]);
    expect(volumesAttached('a')).toEqual([]);
  });

  it('attaches again for a dead node on which a pod is still Terminating', async () => {
    await podOnNodeA();
    setReady('a', 'Unknown');
    test.sim.store.delete('Pod', 'db-0');
    const { name = '', uid } = test.attachment('a')?.metadata ?? {};
    test.sim.store.delete('VolumeAttachment', name);
    await test.clock.advance(60_000);
    expect(test.isAttached('a')).toBe(true);
    expect(test.attachment('a')?.metadata.uid).not.toBe(uid);
  });

  it('holds a ReadWriteOnce volume back from a second node and says so once', async () => {
    await podOnNodeA();
    addPodOnB();
    await test.clock.advance(120_000);
    expect(test.attachment('b')).toBeUndefined();
    expect(warnings()).toEqual([
      ['FailedAttachVolume', 'Multi-Attach error for volume "pv-0" Volume is already used by pod(s) db-0'],
    ]);
  });

  it('names no pod when none of the namespace uses the volume', async () => {
    await podOnNodeA();
    test.forceDelete();
    addPodOnB();
    await test.clock.advance(AT_ONCE_MS);
    expect(warnings()).toEqual([
      ['FailedAttachVolume', expect.stringContaining('already exclusively attached to one node')],
    ]);
  });

  it('attaches a ReadWriteMany volume to a second node', async () => {
    await podOnNodeA(['ReadWriteMany']);
    addPodOnB();
    await test.clock.advance(AT_ONCE_MS);
    expect([test.isAttached('a'), test.isAttached('b'), warnings()]).toEqual([true, true, []]);
  });

  it('attaches to the next node only when the VolumeAttachment is really gone', async () => {
    await podOnNodeA();
    attacher.stuck = true;
    setInUse('a', []);
    test.forceDelete();
    addPodOnB();
    await test.clock.advance(600_000);
    expect(test.attachment('a')?.metadata.deletionTimestamp).toBeDefined();
    expect([test.attachment('b'), warnings()]).toEqual([undefined, []]);
    attacher.stuck = false;
    await test.clock.advance(AT_ONCE_MS);
    expect(test.isAttached('b')).toBe(true);
  });

  it('leaves a finished pod and one that never ran before it was deleted out', async () => {
    test.sim.addNode({ name: 'a' });
    test.sim.addVolume(VOLUME);
    test.sim.addPod({ name: 'done', nodeName: 'a', claims: ['data-db-0'], phase: 'Succeeded' });
    test.sim.addPod({ name: 'late', nodeName: 'a', claims: ['data-db-0'], phase: 'Pending' });
    test.sim.store.delete('Pod', 'late');
    await test.clock.advance(AT_ONCE_MS);
    expect(test.attachment('a')).toBeUndefined();
  });

  it('finds what is attached when it is restarted, and detaches what no pod needs', async () => {
    await podOnNodeA();
    controller[Symbol.dispose]();
    test.forceDelete();
    setInUse('a', []);
    await test.clock.advance(600_000);
    expect(test.isAttached('a')).toBe(true);
    controller = new AttachDetachController(test.sim);
    await test.clock.advance(AT_ONCE_MS);
    expect(test.attachment('a')).toBeUndefined();
  });

  it('takes a volume for in use on a Node that was gone before it started', async () => {
    await podOnNodeA();
    controller[Symbol.dispose]();
    test.sim.store.delete('Node', 'a');
    test.forceDelete();
    controller = new AttachDetachController(test.sim);
    expect(await test.until(() => !test.attachment('a'), 400_000)).toBe(360_100);
  });
});
