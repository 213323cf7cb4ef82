/** Pods that do not go when they are deleted end in a hold, not in a loop. @see design section 6 */
import { describe, expect, it } from 'vitest';
import { DeletedPods } from '../../src/execute/deleted-pods.ts';
import { heldIn } from '../../src/report/held.ts';
import { podFact } from '../../src/testing/fact-builders.ts';
import { PassFixture } from '../pass-fixture.ts';

const FINALIZERS = ['backup.test/done', 'audit.test/seen'];
const held = (f: PassFixture) => heldIn(f.report).map(({ reason, why }) => ({ reason, why }));
const cachePod = (uid: string) => podFact({ uid, controller: { kind: 'DaemonSet', name: 'cache' } });
const deletes = (f: PassFixture) => f.writes.filter((write) => write.startsWith('forceDeletePod'));

describe('a pod that a finalizer keeps', () => {
  it('is deleted once, then named with its finalizers in a hold; its volume stays', async () => {
    const f = new PassFixture();
    f.cluster.setPod(podFact({ finalizers: FINALIZERS }));
    await f.runFor(150);
    expect(f.writes).toEqual(['forceDeletePod pod-a']);
    expect(held(f)).toEqual([
      { reason: 'pod-stays', why: expect.stringContaining('backup.test/done, audit.test/seen') },
    ]);
    expect(held(f)[0]?.why).toContain('default/pod-a');
  });

  it('is not deleted again by another process: its deletion has no grace left', async () => {
    const f = new PassFixture();
    f.cluster.setPod(
      podFact({ finalizers: FINALIZERS, deletingSinceMs: f.clock.now(), deletedAtOnce: true }),
    );
    f.restart();
    await f.runFor(3);
    expect(f.writes).toEqual([]);
    expect(held(f)).toMatchObject([{ reason: 'pod-stays' }]);
  });

  it('is deleted once where only its kubelet was asked to stop it', async () => {
    const f = new PassFixture();
    f.cluster.setPod(podFact({ finalizers: FINALIZERS, deletingSinceMs: f.clock.now() }));
    await f.runFor(3);
    expect(deletes(f)).toEqual(['forceDeletePod pod-a']);
  });

  it('lets its volume go once it has gone', async () => {
    const f = new PassFixture();
    f.cluster.setPod(podFact({ finalizers: FINALIZERS }));
    await f.runFor(3);
    f.cluster.removePod('default', 'pod-a');
    await f.run();
    expect(f.writes).toEqual(['forceDeletePod pod-a', 'removeVolumesInUse node-a']);
  });

  it('holds no volume that it does not use', async () => {
    const f = new PassFixture();
    f.attach('pv-b', 'node-a', 'pod-b');
    f.cluster.setPod(podFact({ finalizers: FINALIZERS }));
    await f.runFor(2);
    const calls = f.actions.calls.filter(({ kind }) => kind === 'removeVolumesInUse');
    expect(calls[0]).toMatchObject({ volumeHandles: ['handle-of-pv-b'] });
  });
});

describe('a pod that its controller creates on the lost node again', () => {
  it('is deleted three times at most, then its controller is named in a hold', async () => {
    const f = new PassFixture();
    const controller = { kind: 'DaemonSet', name: 'cache' };
    for (let generation = 0; generation < 20; generation++) {
      f.cluster.setPod(podFact({ uid: `uid-${generation}`, controller }));
      await f.runFor(1);
      if (deletes(f).length > generation) f.cluster.removePod('default', 'pod-a');
    }
    expect(deletes(f)).toHaveLength(3);
    expect(held(f)).toMatchObject([{ reason: 'pod-stays', why: expect.stringContaining('DaemonSet cache') }]);
  });

  it('counts several pods of one controller once', async () => {
    const f = new PassFixture();
    const controller = { kind: 'ReplicaSet', name: 'web' };
    for (let index = 0; index < 6; index++)
      f.cluster.setPod(podFact({ name: `pod-${index}`, uid: `uid-${index}`, controller }));
    await f.run();
    expect(deletes(f)).toHaveLength(7);
    expect(held(f)).toEqual([]);
  });

  it('is deleted afresh in a later loss of the node', () => {
    const deleted = new DeletedPods();
    for (const uid of ['1', '2', '3', '4']) {
      deleted.see([cachePod(uid)]);
      deleted.record(cachePod(uid));
    }
    expect(deleted.whyItStays(cachePod('4'))).toContain('DaemonSet cache');
    deleted.retainOnly(new Set(['node-b']));
    expect(deleted.whyItStays(cachePod('4'))).toBeUndefined();
  });
});
