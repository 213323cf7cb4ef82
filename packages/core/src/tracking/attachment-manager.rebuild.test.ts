import { describe, expect, it } from 'vitest';
import type { PersistentVolumeFact, VolumeAttachmentFact } from '../model/facts.ts';
import { persistentVolumeFact, TEST_ATTACHER, volumeAttachmentFact } from '../testing/fact-builders.ts';
import { FakeAttachmentStore } from '../testing/fake-attachment-store.ts';
import { FakeClock, settle } from '../testing/fake-clock.ts';
import { RecordingLogger } from '../testing/recording-logger.ts';
import { AttachmentManager } from './attachment-manager.ts';

const HANDLE = 'handle-of-pv-a';
const T0 = new FakeClock().now();

function setUp(volume: Partial<PersistentVolumeFact> = {}) {
  const clock = new FakeClock();
  const logger = new RecordingLogger();
  const store = new FakeAttachmentStore();
  const manager = new AttachmentManager({ clock, logger, store });
  const volumes = new Map([['pv-a', persistentVolumeFact(volume)]]);
  const rebuild = (...attachments: readonly VolumeAttachmentFact[]) =>
    manager.rebuild(attachments, (name) => volumes.get(name), TEST_ATTACHER);
  const nodes = () => manager.getAttachment(HANDLE)?.nodeNames;
  return { clock, logger, store, manager, volumes, rebuild, nodes, signal: new AbortController().signal };
}

const rwx = { accessModes: ['ReadWriteMany'] };
const onA = volumeAttachmentFact({ nodeName: 'node-a', createdAtMs: T0 - 60_000 });
const onB = volumeAttachmentFact({ nodeName: 'node-b', createdAtMs: T0 - 20_000 });
const onC = volumeAttachmentFact({ nodeName: 'node-c', createdAtMs: T0 - 10_000 });

/** The driver detached node-a; the informer has not seen its VolumeAttachment go. */
async function detachedButListed() {
  const scene = setUp();
  scene.rebuild(onA);
  await scene.manager.untrackAttachment(HANDLE, scene.signal);
  scene.rebuild(onA);
  expect(scene.nodes()).toEqual(['node-a']);
  return scene;
}

describe('AttachmentManager.rebuild', () => {
  it('takes node and time from the VolumeAttachment, volumeHandle and access modes from its PersistentVolume', () => {
    const { manager, rebuild, store } = setUp();
    rebuild(onA);
    expect(manager.attachments()).toEqual([
      {
        volumeHandle: HANDLE,
        nodeNames: ['node-a'],
        accessModes: ['ReadWriteOnce'],
        attachedAtMs: T0 - 60_000,
      },
    ]);
    expect(store.calls).toEqual([]);
  });

  it.each([
    ['not attached', { attached: false }, {}],
    ['of another attacher', { attacher: 'other.csi.example.com' }, {}],
    ['of a PersistentVolume that is not known', { persistentVolumeName: 'pv-x' }, {}],
    ['of a PersistentVolume of another driver', {}, { driver: 'other.csi.example.com' }],
  ])('leaves out what is %s', (_title, attachment, volume) => {
    const { manager, rebuild } = setUp(volume);
    rebuild(volumeAttachmentFact(attachment));
    expect(manager.attachments()).toEqual([]);
  });

  it('leaves out an inline volume and a PersistentVolume without volumeHandle', () => {
    const { manager, rebuild, volumes } = setUp();
    const { persistentVolumeName: _, ...inline } = onA;
    const { volumeHandle: __, ...handleless } = persistentVolumeFact({ name: 'pv-b' });
    volumes.set('pv-b', handleless);
    rebuild(inline, volumeAttachmentFact({ persistentVolumeName: 'pv-b' }));
    expect(manager.attachments()).toEqual([]);
  });

  it('counts a VolumeAttachment that is being deleted as long as it is attached', () => {
    const { rebuild, nodes } = setUp();
    rebuild({ ...onA, deletingSinceMs: T0 });
    expect(nodes()).toEqual(['node-a']);
  });

  it.each([
    ['in order', [onA, onB]],
    ['in reverse', [onB, onA]],
  ])(
    'takes two VolumeAttachments of a ReadWriteMany volume, %s, for a migration since the younger one',
    (_title, list) => {
      const { manager, rebuild } = setUp(rwx);
      rebuild(...list);
      expect(manager.getAttachment(HANDLE)).toEqual({
        volumeHandle: HANDLE,
        nodeNames: ['node-a', 'node-b'],
        ...rwx,
        attachedAtMs: T0 - 60_000,
        migration: { startedAtMs: onB.createdAtMs, timeoutMs: 300_000 },
      });
    },
  );

  it('keeps both nodes of a ReadWriteOnce volume, which does not count as a migration', () => {
    const { manager, rebuild } = setUp();
    rebuild(onB, onA);
    expect(manager.getAttachment(HANDLE)).toEqual({
      volumeHandle: HANDLE,
      nodeNames: ['node-a', 'node-b'],
      accessModes: ['ReadWriteOnce'],
      attachedAtMs: T0 - 60_000,
    });
  });

  it('keeps the two oldest of more than two, and warns as often as that begins', () => {
    const { rebuild, nodes, logger } = setUp(rwx);
    rebuild(onC, onB, onA);
    rebuild(onB, onC, onA);
    expect(nodes()).toEqual(['node-a', 'node-b']);
    expect(logger.lines).toEqual([
      {
        level: 'warn',
        message: 'Found volume attached to more than two nodes',
        fields: { volumeHandle: HANDLE, kept: ['node-a', 'node-b'] },
      },
    ]);
    rebuild(onB, onC);
    rebuild(onA, onB, onC);
    expect(logger.messages('warn')).toHaveLength(2);
  });

  it('settles equal ages by name, whatever the order', () => {
    const { rebuild, nodes } = setUp(rwx);
    const twin = { ...onB, createdAtMs: onA.createdAtMs };
    rebuild(twin, onA);
    expect(nodes()).toEqual(['node-a', 'node-b']);
    rebuild(onA, twin);
    expect(nodes()).toEqual(['node-a', 'node-b']);
  });

  it('counts a node once, and two PersistentVolumes with one volumeHandle as one volume', () => {
    const { rebuild, nodes, volumes, manager, logger } = setUp(rwx);
    volumes.set('pv-twin', persistentVolumeFact({ name: 'pv-twin', volumeHandle: HANDLE, ...rwx }));
    const twin = volumeAttachmentFact({
      persistentVolumeName: 'pv-twin',
      nodeName: 'node-a',
      createdAtMs: T0,
    });
    rebuild(twin, onA);
    expect(manager.getAttachment(HANDLE)).toEqual({
      volumeHandle: HANDLE,
      nodeNames: ['node-a'],
      ...rwx,
      attachedAtMs: onA.createdAtMs,
    });
    rebuild(twin, onA, onB);
    expect([nodes(), logger.messages('warn')]).toEqual([['node-a', 'node-b'], []]);
  });

  it('replaces what it said before, in every part', () => {
    const { manager, rebuild, volumes, nodes } = setUp(rwx);
    rebuild(onA, onB);
    rebuild(onB);
    expect(manager.getAttachment(HANDLE)).toEqual({
      volumeHandle: HANDLE,
      nodeNames: ['node-b'],
      ...rwx,
      attachedAtMs: T0 - 20_000,
    });
    volumes.set('pv-a', persistentVolumeFact({ accessModes: ['ReadWriteOnce'] }));
    rebuild(onB);
    expect(manager.getAttachment(HANDLE)?.accessModes).toEqual(['ReadWriteOnce']);
    rebuild({ ...onB, createdAtMs: T0 });
    expect(manager.getAttachment(HANDLE)?.attachedAtMs).toBe(T0);
    rebuild(onC);
    expect(nodes()).toEqual(['node-c']);
    rebuild();
    expect(manager.attachments()).toEqual([]);
  });

  it('hands out the same snapshot while nothing changes, frozen, and leaves the facts as they are', () => {
    const { manager, rebuild, volumes } = setUp();
    rebuild(onA);
    const before = manager.getAttachment(HANDLE);
    rebuild({ ...onA });
    expect(manager.getAttachment(HANDLE)).toBe(before);
    for (const part of [before, before?.nodeNames, before?.accessModes]) {
      expect(part && Object.isFrozen(part)).toBe(true);
    }
    expect(Object.isFrozen(volumes.get('pv-a')?.accessModes)).toBe(false);
  });

  describe('detach times', () => {
    it('records a volume that vanished since the last rebuild as detached now', async () => {
      const { manager, rebuild, clock } = setUp();
      rebuild(onA);
      await clock.advance(5_000);
      rebuild();
      expect(manager.detachedAtMs(HANDLE)).toBe(T0 + 5_000);
      await clock.advance(5_000);
      rebuild();
      expect(manager.detachedAtMs(HANDLE)).toBe(T0 + 5_000);
      await clock.advance(25_000);
      expect(manager.isWithinHandOffGrace(HANDLE)).toBe(false);
    });

    it('records one node of two, and a node that another has replaced', async () => {
      const { manager, rebuild, clock } = setUp(rwx);
      rebuild(onA, onB);
      expect(manager.detachedAtMs(HANDLE)).toBeUndefined();
      await clock.advance(1_000);
      rebuild(onB);
      expect(manager.detachedAtMs(HANDLE)).toBe(T0 + 1_000);
      await clock.advance(1_000);
      rebuild(onC);
      expect(manager.detachedAtMs(HANDLE)).toBe(T0 + 2_000);
    });

    it('takes the time of the pass where one is given', () => {
      const { manager, volumes } = setUp();
      manager.rebuild([onA], (name) => volumes.get(name), TEST_ATTACHER, T0);
      manager.rebuild([], (name) => volumes.get(name), TEST_ATTACHER, T0 - 7);
      expect(manager.detachedAtMs(HANDLE)).toBe(T0 - 7);
    });

    it('forgets the detach of a node that is back', () => {
      const { manager, rebuild } = setUp();
      rebuild(onA);
      rebuild({ ...onA, attached: false });
      expect(manager.isWithinHandOffGrace(HANDLE)).toBe(true);
      rebuild(onA);
      expect(manager.isWithinHandOffGrace(HANDLE)).toBe(false);
    });
  });

  describe('hand-off', () => {
    it('is allowed within the grace', async () => {
      const { manager, nodes, clock, signal, store } = await detachedButListed();
      await clock.advance(29_999);
      await manager.trackAttachment(HANDLE, 'node-b', {}, signal);
      expect(nodes()).toEqual(['node-b']);
      expect(store.records.get(HANDLE)?.nodeName).toBe('node-b');
    });

    it('is a conflict after the grace', async () => {
      const { manager, nodes, clock, signal } = await detachedButListed();
      await clock.advance(30_000);
      await expect(manager.trackAttachment(HANDLE, 'node-b', {}, signal)).rejects.toMatchObject({
        code: 'ATTACHMENT_CONFLICT',
      });
      expect(nodes()).toEqual(['node-a']);
    });

    it.each([
      ['the driver says so', 'track'],
      ['its VolumeAttachment is a new one', 'rebuild'],
    ] as const)('is a conflict when the node was attached again: %s', async (_title, how) => {
      const { manager, rebuild, signal } = await detachedButListed();
      if (how === 'track') await manager.trackAttachment(HANDLE, 'node-a', {}, signal);
      else rebuild({ ...onA, uid: 'another', createdAtMs: T0 });
      await expect(manager.trackAttachment(HANDLE, 'node-b', {}, signal)).rejects.toMatchObject({
        code: 'ATTACHMENT_CONFLICT',
      });
    });

    it('is a conflict while another node, which was not detached, holds the volume too', async () => {
      const { manager, rebuild, nodes, signal } = await detachedButListed();
      rebuild(onA, onB);
      await expect(manager.trackAttachment(HANDLE, 'node-c', {}, signal)).rejects.toMatchObject({
        code: 'ATTACHMENT_CONFLICT',
        message: expect.stringContaining('node-b'),
      });
      expect(nodes()).toEqual(['node-a', 'node-b']);
    });

    it('leaves the volume as it was when the store fails', async () => {
      const { manager, nodes, signal, store } = await detachedButListed();
      store.before = () => Promise.reject(new Error('boom'));
      await expect(manager.trackAttachment(HANDLE, 'node-b', {}, signal)).rejects.toMatchObject({
        code: 'STORE_FAILED',
      });
      expect(nodes()).toEqual(['node-a']);
    });

    it('needs a detach by an operation: a vanished VolumeAttachment that is back was none', async () => {
      const { manager, rebuild, signal } = setUp();
      rebuild(onA);
      rebuild();
      rebuild(onA);
      await expect(manager.trackAttachment(HANDLE, 'node-b', {}, signal)).rejects.toMatchObject({
        code: 'ATTACHMENT_CONFLICT',
      });
    });
  });

  it('reads a list that can be walked only once', () => {
    const { manager, volumes } = setUp();
    manager.rebuild([onA].values(), (name) => volumes.get(name), TEST_ATTACHER);
    expect(manager.attachments()).toHaveLength(1);
  });

  it('sees a PersistentVolume that changed under the same VolumeAttachments', () => {
    const { manager, volumes, rebuild } = setUp();
    rebuild(onA);
    volumes.set('pv-a', persistentVolumeFact(rwx));
    rebuild(onA);
    expect(manager.getAttachment(HANDLE)?.accessModes).toEqual(['ReadWriteMany']);
    volumes.delete('pv-a');
    rebuild(onA);
    expect(manager.attachments()).toEqual([]);
  });

  it('makes up for what it left to an operation, on the very same facts', async () => {
    const { rebuild, nodes, store, manager, signal } = setUp(rwx);
    const write = Promise.withResolvers<void>();
    store.before = () => write.promise;
    const tracked = manager.trackAttachment(HANDLE, 'node-a', rwx, signal);
    await settle();
    rebuild(onA, onB);
    write.resolve();
    await tracked;
    expect(nodes()).toEqual(['node-a']);
    rebuild(onA, onB);
    expect(nodes()).toEqual(['node-a', 'node-b']);
    await manager.removeNodeAttachment(HANDLE, 'node-b', signal);
    rebuild(onA, onB);
    expect(nodes()).toEqual(['node-a', 'node-b']);
  });

  it('leaves a volume with an operation in progress to that operation', async () => {
    const { manager, rebuild, nodes, store, signal, logger } = setUp(rwx);
    const write = Promise.withResolvers<void>();
    store.before = () => write.promise;
    const tracked = manager.trackAttachment(HANDLE, 'node-a', rwx, signal);
    await settle();
    rebuild(onA, onB, onC);
    expect([nodes(), logger.messages('warn')]).toEqual([undefined, []]);
    write.resolve();
    await tracked;
    expect(nodes()).toEqual(['node-a']);

    const clear = Promise.withResolvers<void>();
    store.before = () => clear.promise;
    await manager.addSecondaryAttachment(HANDLE, 'node-b', {}, signal);
    const removed = manager.removeNodeAttachment(HANDLE, 'node-a', signal);
    await settle();
    rebuild();
    expect(nodes()).toEqual(['node-b']);
    clear.resolve();
    await removed;
    rebuild();
    expect(nodes()).toBeUndefined();
  });
});
