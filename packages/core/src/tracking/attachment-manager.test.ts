import { describe, expect, it } from 'vitest';
import { FakeAttachmentStore, type StoreCall } from '../testing/fake-attachment-store.ts';
import { FakeClock, settle } from '../testing/fake-clock.ts';
import { RecordingLogger } from '../testing/recording-logger.ts';
import { AttachmentManager, type AttachmentManagerOptions } from './attachment-manager.ts';

const RWX = { accessModes: ['ReadWriteMany'] };

function setUp(options: Partial<AttachmentManagerOptions> = {}) {
  const clock = new FakeClock();
  const logger = new RecordingLogger();
  const store = new FakeAttachmentStore();
  const manager = new AttachmentManager({ clock, logger, store, ...options });
  const { signal } = new AbortController();
  const track = (node: string, vol = 'vol', trackOptions = {}) =>
    manager.trackAttachment(vol, node, trackOptions, signal);
  const addSecondary = (node: string, migrationOptions = {}) =>
    manager.addSecondaryAttachment('vol', node, migrationOptions, signal);
  const remove = (node: string) => manager.removeNodeAttachment('vol', node, signal);
  const untrack = () => manager.untrackAttachment('vol', signal);
  const nodes = (vol = 'vol') => manager.getAttachment(vol)?.nodeNames;
  return { clock, logger, store, manager, signal, track, addSecondary, remove, untrack, nodes };
}

/** A store in which writes of one kind wait until freed. */
function gate(store: FakeAttachmentStore, kind: StoreCall['kind']) {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  store.before = (call) => (call.kind === kind ? promise : undefined);
  return { resolve, reject };
}

/** What a caller without types can do. */
const create = (options?: unknown) => () => new AttachmentManager(options as AttachmentManagerOptions);

describe('AttachmentManager', () => {
  describe('constructor', () => {
    it('names what is missing or out of range', () => {
      const clock = new FakeClock();
      expect(create()).toThrow(new TypeError('AttachmentManager needs clock'));
      expect(create({ clock, gracePeriodMs: 0 })).toThrow(/`gracePeriodMs`.*got 0/);
      expect(create({ clock, migrationTimeoutMs: Number.NaN })).toThrow(/`migrationTimeoutMs`.*got NaN/);
    });
  });

  describe('trackAttachment', () => {
    it('tracks a volume as attached to a node since now, and stores it', async () => {
      const { track, manager, store, clock } = setUp();
      await track('node-a', 'vol', { accessModes: ['ReadWriteOnce'] });
      expect(manager.getAttachment('vol')).toEqual({
        volumeHandle: 'vol',
        nodeNames: ['node-a'],
        accessModes: ['ReadWriteOnce'],
        attachedAtMs: clock.now(),
      });
      expect(store.records.get('vol')).toEqual({ nodeName: 'node-a', attachedAtMs: clock.now() });
    });

    it('is idempotent for the same node', async () => {
      const { track, manager, store, clock } = setUp();
      await track('node-a');
      const before = manager.getAttachment('vol');
      await clock.advance(1_000);
      await track('node-a');
      expect(manager.getAttachment('vol')).toBe(before);
      expect(store.calls).toHaveLength(1);
    });

    it('is idempotent for both nodes of a migration', async () => {
      const { track, addSecondary, manager } = setUp();
      await track('node-a', 'vol', RWX);
      await addSecondary('node-b');
      const before = manager.getAttachment('vol');
      await track('node-a');
      await track('node-b');
      expect(manager.getAttachment('vol')).toBe(before);
    });

    it('is a conflict for another node, ReadWriteMany or not, and changes nothing', async () => {
      const { track, nodes, store } = setUp();
      await track('node-a', 'vol', RWX);
      await expect(track('node-b')).rejects.toMatchObject({
        code: 'ATTACHMENT_CONFLICT',
        outcome: 'not-applied',
        message: 'ATTACHMENT_CONFLICT: volume vol is attached to node node-a, not node-b',
      });
      expect(nodes()).toEqual(['node-a']);
      expect(store.calls).toHaveLength(1);
    });

    it.each([
      ['says nothing', new Error('boom'), 'unknown'],
      ['says not applied', Object.assign(new Error('boom'), { outcome: 'not-applied' }), 'not-applied'],
      ['says unknown', Object.assign(new Error('boom'), { outcome: 'unknown' }), 'unknown'],
    ] as const)('is rolled back when the store fails; it %s', async (_title, cause, outcome) => {
      const { track, manager, store } = setUp();
      store.before = () => {
        throw cause;
      };
      await expect(track('node-a')).rejects.toMatchObject({ code: 'STORE_FAILED', outcome, cause });
      expect(manager.attachments()).toEqual([]);
      store.before = () => undefined;
      await track('node-b');
      expect(manager.getAttachment('vol')?.nodeNames).toEqual(['node-b']);
    });

    it('rejects with the reason of a signal that aborts while the store is written, rolled back', async () => {
      const { manager, store, logger } = setUp();
      const abort = new AbortController();
      const write = gate(store, 'set');
      const tracked = manager.trackAttachment('vol', 'node-a', {}, abort.signal);
      await settle();
      abort.abort(new Error('shutting down'));
      write.reject(new Error('request aborted'));
      await expect(tracked).rejects.toBe(abort.signal.reason);
      expect([manager.attachments(), manager.lockedVolumes, logger.lines]).toEqual([[], 0, []]);
    });

    it('works without a store', async () => {
      const manager = new AttachmentManager({ clock: new FakeClock() });
      const { signal } = new AbortController();
      await manager.trackAttachment('vol', 'node-a', {}, signal);
      await manager.untrackAttachment('vol', signal);
      expect(manager.attachments()).toEqual([]);
    });
  });

  describe('addSecondaryAttachment', () => {
    it('starts a migration of a ReadWriteMany volume, with start and timeout', async () => {
      const { track, addSecondary, manager, clock } = setUp();
      const attachedAtMs = clock.now();
      await track('node-a', 'vol', RWX);
      await clock.advance(60_000);
      await addSecondary('node-b');
      expect(manager.getAttachment('vol')).toEqual({
        volumeHandle: 'vol',
        nodeNames: ['node-a', 'node-b'],
        ...RWX,
        attachedAtMs,
        migration: { startedAtMs: attachedAtMs + 60_000, timeoutMs: 300_000 },
      });
    });

    it('takes its timeout from the call, else from the manager', async () => {
      const own = setUp();
      await own.track('node-a', 'vol', RWX);
      await own.addSecondary('node-b', { timeoutMs: 1_234 });
      expect(own.manager.getAttachment('vol')?.migration?.timeoutMs).toBe(1_234);
      const configured = setUp({ migrationTimeoutMs: 5_678 });
      await configured.track('node-a', 'vol', RWX);
      await configured.addSecondary('node-b');
      expect(configured.manager.getAttachment('vol')?.migration?.timeoutMs).toBe(5_678);
    });

    it('is idempotent for a node that holds the volume', async () => {
      const { track, addSecondary, manager, clock } = setUp();
      await track('node-a', 'vol', RWX);
      await addSecondary('node-a');
      expect(manager.getAttachment('vol')?.migration).toBeUndefined();
      await addSecondary('node-b');
      const before = manager.getAttachment('vol');
      await clock.advance(1_000);
      await addSecondary('node-b');
      await addSecondary('node-a');
      expect(manager.getAttachment('vol')).toBe(before);
    });

    it('never adds a third node, not even after the timeout', async () => {
      const { track, addSecondary, nodes, clock } = setUp();
      await track('node-a', 'vol', RWX);
      await addSecondary('node-b');
      await clock.advance(300_001);
      await expect(addSecondary('node-c')).rejects.toMatchObject({
        code: 'MIGRATION_LIMIT',
        outcome: 'not-applied',
      });
      expect(nodes()).toEqual(['node-a', 'node-b']);
    });

    it.each([
      ['ReadWriteOnce', { accessModes: ['ReadWriteOnce'] }],
      ['ReadOnlyMany', { accessModes: ['ReadOnlyMany'] }],
      ['not known', {}],
    ])('is a conflict when the access mode is %s', async (_title, options) => {
      const { track, addSecondary, nodes } = setUp();
      await track('node-a', 'vol', options);
      await expect(addSecondary('node-b')).rejects.toMatchObject({
        code: 'ATTACHMENT_CONFLICT',
        outcome: 'not-applied',
      });
      expect(nodes()).toEqual(['node-a']);
    });

    it('needs a volume that is attached', async () => {
      const { addSecondary, manager } = setUp();
      await expect(addSecondary('node-b')).rejects.toMatchObject({ code: 'NOT_ATTACHED' });
      expect(manager.attachments()).toEqual([]);
    });

    it('refuses a timeout that is none', async () => {
      const { track, addSecondary } = setUp();
      await track('node-a', 'vol', RWX);
      await expect(addSecondary('node-b', { timeoutMs: -1 })).rejects.toThrow(TypeError);
    });
  });

  describe('removeNodeAttachment', () => {
    it('says that it removed the last node, and clears the store', async () => {
      const { track, remove, manager, store } = setUp();
      await track('node-a');
      expect(await remove('node-a')).toBe('last');
      expect(manager.attachments()).toEqual([]);
      expect([...store.records]).toEqual([]);
    });

    it('ends a migration: the secondary is the primary since it was added, and stored as such', async () => {
      const { track, addSecondary, remove, manager, store, clock } = setUp();
      await track('node-a', 'vol', RWX);
      await clock.advance(60_000);
      const addedAtMs = clock.now();
      await addSecondary('node-b');
      await clock.advance(15_000);
      expect(await remove('node-a')).toBe('others-left');
      expect(manager.getAttachment('vol')).toEqual({
        volumeHandle: 'vol',
        nodeNames: ['node-b'],
        ...RWX,
        attachedAtMs: addedAtMs,
      });
      expect(store.records.get('vol')).toEqual({ nodeName: 'node-b', attachedAtMs: addedAtMs });
    });

    it('ends a migration that failed: the primary stays what it was', async () => {
      const { track, addSecondary, remove, manager, store } = setUp();
      await track('node-a', 'vol', RWX);
      const before = manager.getAttachment('vol');
      await addSecondary('node-b');
      expect(await remove('node-b')).toBe('others-left');
      expect(manager.getAttachment('vol')).toEqual(before);
      expect(store.calls).toHaveLength(1);
    });

    it('does nothing for a node that does not hold the volume', async () => {
      const { track, remove, manager, nodes } = setUp();
      expect(await remove('node-a')).toBe('not-attached');
      await track('node-a');
      expect(await remove('node-b')).toBe('not-attached');
      expect(nodes()).toEqual(['node-a']);
      expect(manager.detachedAtMs('vol')).toBeUndefined();
    });

    it('only logs a store that fails', async () => {
      const { track, addSecondary, remove, nodes, store, logger } = setUp();
      await track('node-a', 'vol', RWX);
      await addSecondary('node-b');
      store.before = () => Promise.reject(new Error('boom'));
      expect(await remove('node-a')).toBe('others-left');
      expect(nodes()).toEqual(['node-b']);
      expect(logger.messages('warn')).toEqual(['Could not update stored attachment']);
    });
  });

  describe('untrackAttachment', () => {
    it('removes all nodes and clears the store, idempotently', async () => {
      const { track, addSecondary, untrack, manager, store } = setUp();
      await track('node-a', 'vol', RWX);
      await addSecondary('node-b');
      await untrack();
      await untrack();
      expect(manager.attachments()).toEqual([]);
      expect(store.calls.filter(({ kind }) => kind === 'clear')).toHaveLength(1);
      expect(store.records.size).toBe(0);
    });

    it('only logs a clear that fails', async () => {
      const { track, untrack, manager, store, logger } = setUp();
      await track('node-a');
      const err = new Error('boom');
      store.before = () => Promise.reject(err);
      await untrack();
      expect(manager.attachments()).toEqual([]);
      expect(logger.lines.filter(({ level }) => level === 'warn')).toEqual([
        {
          level: 'warn',
          message: 'Could not update stored attachment',
          fields: { err, volumeHandle: 'vol' },
        },
      ]);
    });

    it('rejects with the reason of a signal that aborts during the clear, and has untracked all the same', async () => {
      const { track, manager, store, logger } = setUp();
      await track('node-a');
      const abort = new AbortController();
      const clear = gate(store, 'clear');
      const untracked = manager.untrackAttachment('vol', abort.signal);
      await settle();
      abort.abort(new Error('shutting down'));
      clear.reject(new Error('request aborted'));
      await expect(untracked).rejects.toBe(abort.signal.reason);
      expect([manager.attachments(), manager.lockedVolumes, logger.messages('warn')]).toEqual([[], 0, []]);
    });
  });

  describe('detach times', () => {
    it('serve the grace after untracking, and no longer', async () => {
      const { track, untrack, manager, clock } = setUp();
      await track('node-a');
      expect([manager.detachedAtMs('vol'), manager.isWithinHandOffGrace('vol')]).toEqual([undefined, false]);
      await untrack();
      const detachedAtMs = clock.now();
      expect(manager.detachedAtMs('vol')).toBe(detachedAtMs);
      expect(manager.handOffUntilMs('vol')).toBe(detachedAtMs + 30_000);
      await clock.advance(29_999);
      expect([manager.detachedAtMs('vol'), manager.isWithinHandOffGrace('vol')]).toEqual([
        detachedAtMs,
        true,
      ]);
      await clock.advance(1);
      expect([manager.detachedAtMs('vol'), manager.isWithinHandOffGrace('vol')]).toEqual([undefined, false]);
      expect(manager.handOffUntilMs('vol')).toBeUndefined();
    });

    it('are judged at the time of the pass where one is given', async () => {
      const { track, untrack, manager, clock } = setUp({ gracePeriodMs: 5_000 });
      await track('node-a');
      await untrack();
      const detachedAtMs = clock.now();
      await clock.advance(5_000);
      expect(manager.isWithinHandOffGrace('vol', detachedAtMs + 4_999)).toBe(true);
      expect(manager.isWithinHandOffGrace('vol')).toBe(false);
    });

    it('are recorded when one of two nodes is removed', async () => {
      const { track, addSecondary, remove, manager, clock } = setUp();
      await track('node-a', 'vol', RWX);
      await addSecondary('node-b');
      await clock.advance(1_000);
      await remove('node-a');
      expect(manager.detachedAtMs('vol')).toBe(clock.now());
    });

    it('are history once the node holds the volume again', async () => {
      const { track, untrack, manager } = setUp();
      await track('node-a');
      await untrack();
      await track('node-a');
      expect(manager.detachedAtMs('vol')).toBeUndefined();
      await expect(track('node-b')).rejects.toMatchObject({ code: 'ATTACHMENT_CONFLICT' });
    });

    it('are history once the node is the second of a migration again', async () => {
      const { track, addSecondary, remove, manager } = setUp();
      await track('node-a', 'vol', RWX);
      await addSecondary('node-b');
      await remove('node-b');
      expect(manager.isWithinHandOffGrace('vol')).toBe(true);
      await addSecondary('node-b');
      expect(manager.isWithinHandOffGrace('vol')).toBe(false);
    });

    it('survive a track that was rolled back', async () => {
      const { track, untrack, manager, store, clock } = setUp();
      await track('node-a');
      await untrack();
      store.before = () => Promise.reject(new Error('boom'));
      await expect(track('node-a')).rejects.toMatchObject({ code: 'STORE_FAILED' });
      expect(manager.detachedAtMs('vol')).toBe(clock.now());
    });
  });

  describe('state handed out', () => {
    it('cannot be changed, nor through what was handed in', async () => {
      const { addSecondary, manager, signal } = setUp();
      const accessModes = ['ReadWriteMany'];
      await manager.trackAttachment('vol', 'node-a', { accessModes }, signal);
      await addSecondary('node-b');
      accessModes.push('ReadWriteOnce');
      const attachment = manager.getAttachment('vol');
      expect(attachment?.accessModes).toEqual(['ReadWriteMany']);
      for (const part of [
        attachment,
        attachment?.nodeNames,
        attachment?.accessModes,
        attachment?.migration,
      ]) {
        expect(part && Object.isFrozen(part)).toBe(true);
      }
    });

    it('does not change when the attachment does', async () => {
      const { track, addSecondary, remove, untrack, manager } = setUp();
      await track('node-a', 'vol', RWX);
      const [listed, single] = [manager.attachments(), manager.getAttachment('vol')];
      await addSecondary('node-b');
      const both = manager.getAttachment('vol');
      await remove('node-a');
      await untrack();
      expect(listed).toEqual([single]);
      expect([single?.nodeNames, both?.nodeNames]).toEqual([['node-a'], ['node-a', 'node-b']]);
    });
  });

  describe('locks', () => {
    it('serialise operations on one volume in the order of the calls', async () => {
      const { track, untrack, nodes, store } = setUp();
      const write = gate(store, 'set');
      const first = track('node-a');
      const gone = untrack();
      const second = track('node-b');
      await settle();
      expect(store.calls.map(({ kind }) => kind)).toEqual(['set']);
      expect(nodes()).toBeUndefined();
      write.resolve();
      await Promise.all([first, gone, second]);
      expect(store.calls.map(({ kind }) => kind)).toEqual(['set', 'clear', 'set']);
      expect(nodes()).toEqual(['node-b']);
    });

    it('let one of two nodes that ask at once win', async () => {
      const { track, nodes } = setUp();
      const results = await Promise.allSettled([track('node-a'), track('node-b')]);
      expect(results.map(({ status }) => status)).toEqual(['fulfilled', 'rejected']);
      expect(nodes()).toEqual(['node-a']);
    });

    it('let different volumes go on while one waits for its store', async () => {
      const { track, manager, nodes, store } = setUp();
      const write = Promise.withResolvers<void>();
      store.before = (call) => (call.volumeHandle === 'slow' ? write.promise : undefined);
      const slow = track('node-a', 'slow');
      await track('node-a', 'fast');
      expect([nodes('slow'), nodes('fast'), manager.lockedVolumes]).toEqual([undefined, ['node-a'], 1]);
      write.resolve();
      await slow;
      expect(nodes('slow')).toEqual(['node-a']);
    });

    it('let every kind of operation leave the queue when aborted, undone', async () => {
      const { track, manager, store, nodes } = setUp();
      const write = gate(store, 'set');
      const first = track('node-a', 'vol', RWX);
      const abort = new AbortController();
      const queued = Promise.allSettled([
        manager.trackAttachment('vol', 'node-b', {}, abort.signal),
        manager.addSecondaryAttachment('vol', 'node-b', {}, abort.signal),
        manager.removeNodeAttachment('vol', 'node-a', abort.signal),
        manager.untrackAttachment('vol', abort.signal),
      ]);
      abort.abort(new Error('enough'));
      const reasons = (await queued).map((result) => result.status === 'rejected' && result.reason);
      expect(reasons).toEqual(Array(4).fill(abort.signal.reason));
      write.resolve();
      await first;
      expect([nodes(), manager.lockedVolumes]).toEqual([['node-a'], 0]);
    });

    it('are freed with the operation, whether it succeeded, failed or was aborted in the queue', async () => {
      const { track, manager, store, nodes } = setUp();
      const write = gate(store, 'set');
      const first = track('node-a');
      const abort = new AbortController();
      const queued = manager.untrackAttachment('vol', abort.signal);
      const conflict = track('node-b');
      abort.abort(new Error('enough'));
      await expect(queued).rejects.toThrow('enough');
      expect(manager.lockedVolumes).toBe(1);
      write.resolve();
      await first;
      await expect(conflict).rejects.toMatchObject({ code: 'ATTACHMENT_CONFLICT' });
      expect([manager.lockedVolumes, nodes()]).toEqual([0, ['node-a']]);
    });
  });
});
