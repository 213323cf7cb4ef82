import { describe, expect, it } from 'vitest';
import { AttachmentReconciler } from '../loop/attachment-reconciler.ts';
import type { ReconcileAction } from '../loop/reconcile-instruments.ts';
import type { VolumeAttachmentFact } from '../model/facts.ts';
import type { NodeLister } from '../ports/ports.ts';
import {
  nodeFact,
  persistentVolumeFact,
  TEST_ATTACHER,
  volumeAttachmentFact,
} from '../testing/fact-builders.ts';
import { FakeAttachmentStore } from '../testing/fake-attachment-store.ts';
import { FakeClock, settle } from '../testing/fake-clock.ts';
import { FakeNodeLister } from '../testing/fake-node-lister.ts';
import { RecordingLogger } from '../testing/recording-logger.ts';
import { AttachmentManager } from '../tracking/attachment-manager.ts';
import { UntrackPass, type UntrackPassOptions } from './untrack-pass.ts';

function setUp(options: Partial<UntrackPassOptions> = {}) {
  const clock = new FakeClock();
  const store = new FakeAttachmentStore();
  const manager = new AttachmentManager({ clock, store, gracePeriodMs: 30_000 });
  const nodes = new FakeNodeLister();
  const logger = new RecordingLogger();
  const actions: ReconcileAction[] = [];
  const metrics = { recordAction: (action: ReconcileAction) => void actions.push(action) };
  const pass = new UntrackPass({ manager, nodes, metrics, logger, ...options });
  const abort = new AbortController();
  const run = (signal: AbortSignal = abort.signal) =>
    pass.run(
      { reasons: new Set(['periodic']), nowMs: clock.now(), reconcileId: 'test-1', wake: () => undefined },
      signal,
    );
  const track = (volumeHandle: string, nodeName: string, accessModes = ['ReadWriteOnce']) =>
    manager.trackAttachment(volumeHandle, nodeName, { accessModes }, abort.signal);
  const tracked = () => manager.attachments().map(({ volumeHandle }) => volumeHandle);
  return { clock, store, manager, nodes, logger, actions, pass, abort, run, track, tracked };
}

/** What a caller without types can do. */
const create = (options?: unknown) => () => new UntrackPass(options as UntrackPassOptions);

describe('UntrackPass', () => {
  it('names the collaborators that are missing', () => {
    const { manager, nodes } = setUp();
    expect(create()).toThrow(new TypeError('UntrackPass needs manager and nodes'));
    expect(create({ manager })).toThrow(new TypeError('UntrackPass needs nodes'));
    expect(create({ nodes })).toThrow(new TypeError('UntrackPass needs manager'));
    expect(create({ manager, nodes, gracePeriodMs: -1 })).toThrow(/`gracePeriodMs`.*got -1/);
  });

  it('has nothing to do and nothing to wait for without attachments', async () => {
    const { run, nodes } = setUp();
    expect(await run()).toEqual({});
    expect(nodes.calls).toEqual([]);
  });

  it.each([
    ['ready', true],
    ['NotReady', false],
  ])('keeps attachments of a Node that is %s, and waits for nothing', async (_title, ready) => {
    const { run, nodes, track, tracked, clock, actions } = setUp();
    nodes.set(nodeFact({ ready }));
    await track('vol', 'node-a');
    for (let pass = 0; pass < 3; pass++) {
      expect(await run()).toEqual({});
      await clock.advance(60_000);
    }
    expect([tracked(), actions]).toEqual([['vol'], []]);
  });

  it('untracks attachments of a Node that is gone after the grace, counted from the first pass that missed it', async () => {
    const { run, nodes, track, tracked, clock, store, actions, logger } = setUp();
    nodes.set(nodeFact());
    await track('vol-1', 'node-a');
    await track('vol-2', 'node-a');
    await run();
    nodes.delete('node-a');
    await clock.advance(60_000);
    const missedAtMs = clock.now();
    expect(await run()).toEqual({ nextDeadlineMs: missedAtMs + 30_000 });
    await clock.advance(29_999);
    expect(await run()).toEqual({ nextDeadlineMs: missedAtMs + 30_000 });
    expect(tracked()).toEqual(['vol-1', 'vol-2']);
    await clock.advance(1);
    expect(await run()).toEqual({});
    expect(tracked()).toEqual([]);
    expect([store.records.size, actions]).toEqual([0, ['untrack', 'untrack']]);
    expect(logger.messages('info')).toEqual(Array(2).fill('Untracked attachment of node that is gone'));
  });

  it('takes its grace from the options', async () => {
    const { run, track, tracked, clock } = setUp({ gracePeriodMs: 5_000 });
    await track('vol', 'node-a');
    expect(await run()).toEqual({ nextDeadlineMs: clock.now() + 5_000 });
    await clock.advance(5_000);
    await run();
    expect(tracked()).toEqual([]);
  });

  it('starts the grace again when the Node was there in between, under whatever uid', async () => {
    const { run, nodes, track, tracked, clock } = setUp();
    await track('vol', 'node-a');
    await run();
    await clock.advance(20_000);
    nodes.set(nodeFact({ uid: 'another', ready: false }));
    await run();
    nodes.delete('node-a');
    await clock.advance(20_000);
    expect(await run()).toEqual({ nextDeadlineMs: clock.now() + 30_000 });
    expect(tracked()).toEqual(['vol']);
  });

  it('forgets since when a Node is missing once nothing is attached to it', async () => {
    const { run, tracked, clock, manager } = setUp();
    const attachment = volumeAttachmentFact({ createdAtMs: clock.now() - 60_000 });
    const rebuild = (...attachments: readonly VolumeAttachmentFact[]) =>
      manager.rebuild(attachments, () => persistentVolumeFact(), TEST_ATTACHER);
    rebuild(attachment);
    await run();
    rebuild();
    await run();
    await clock.advance(60_000);
    rebuild(attachment);
    expect(await run()).toEqual({ nextDeadlineMs: clock.now() + 30_000 });
    expect(tracked()).toHaveLength(1);
  });

  it.each(['primary', 'secondary'])(
    'starts the grace again when the Node got a volume since, as %s',
    async (role) => {
      const { run, nodes, track, tracked, manager, clock, abort } = setUp();
      nodes.set(nodeFact({ name: 'node-b' }));
      await track('old', 'node-a');
      await track('moving', 'node-b', ['ReadWriteMany']);
      await run();
      await clock.advance(20_000);
      if (role === 'primary') await track('new', 'node-a');
      else await manager.addSecondaryAttachment('moving', 'node-a', {}, abort.signal);
      await clock.advance(40_000);
      expect(await run()).toEqual({ nextDeadlineMs: clock.now() + 30_000 });
      expect(tracked()).toContain('old');
      await clock.advance(30_000);
      expect(await run()).toEqual({});
      expect(tracked()).toEqual(['moving']);
    },
  );

  it('removes only the node that is gone from a volume that migrates', async () => {
    const { run, nodes, track, manager, clock, abort, actions } = setUp();
    nodes.set(nodeFact({ name: 'node-b' }));
    await track('vol', 'node-a', ['ReadWriteMany']);
    await manager.addSecondaryAttachment('vol', 'node-b', {}, abort.signal);
    await run();
    await clock.advance(30_000);
    await run();
    expect(manager.getAttachment('vol')?.nodeNames).toEqual(['node-b']);
    expect(actions).toEqual(['untrack']);
  });

  it('waits for the end of a hand-off, but only for the volume that is handed off', async () => {
    const { run, track, tracked, manager, clock, abort } = setUp();
    await track('vol-1', 'node-a', ['ReadWriteMany']);
    await track('vol-2', 'node-a');
    await run();
    await clock.advance(20_000);
    await manager.addSecondaryAttachment('vol-1', 'node-b', {}, abort.signal);
    await manager.removeNodeAttachment('vol-1', 'node-b', abort.signal);
    const detachedAtMs = clock.now();
    await clock.advance(10_000);
    expect(await run()).toEqual({ nextDeadlineMs: detachedAtMs + 30_000 });
    expect(tracked()).toEqual(['vol-1']);
    await clock.advance(20_000);
    expect(await run()).toEqual({});
    expect(tracked()).toEqual([]);
  });

  it('skips a Node that cannot be looked up, and goes on with the others', async () => {
    const { run, nodes, track, tracked, clock, logger } = setUp();
    await track('vol-1', 'node-a');
    await track('vol-2', 'node-b');
    const err = new Error('boom');
    nodes.fail('node-a', err);
    await run();
    await clock.advance(30_000);
    expect(await run()).toEqual({ nextDeadlineMs: clock.now() + 30_000 });
    expect(tracked()).toEqual(['vol-1']);
    const line = { level: 'warn', message: 'Could not look up node', fields: { err, node: 'node-a' } };
    expect(logger.lines.filter(({ level }) => level === 'warn')).toEqual([line, line]);
  });

  it('lets a failed look-up neither start nor end an absence', async () => {
    const { run, nodes, track, tracked, clock } = setUp();
    await track('vol', 'node-a');
    await run();
    nodes.fail('node-a', new Error('boom'));
    await clock.advance(30_000);
    await run();
    expect(tracked()).toEqual(['vol']);
    nodes.fail('node-a');
    await run();
    expect(tracked()).toEqual([]);

    nodes.fail('node-a', new Error('boom'));
    await track('vol', 'node-a');
    await run();
    nodes.fail('node-a');
    await clock.advance(60_000);
    expect(await run()).toEqual({ nextDeadlineMs: clock.now() + 30_000 });
  });

  it('looks up each Node once, eight at a time', async () => {
    const calls: string[] = [];
    let running = 0;
    let most = 0;
    const nodes: NodeLister = {
      async getNode(name) {
        calls.push(name);
        most = Math.max(most, ++running);
        await settle();
        running--;
        return nodeFact({ name });
      },
    };
    const { run, track } = setUp({ nodes });
    for (let index = 0; index < 40; index++) await track(`vol-${index}`, `node-${index % 20}`);
    await run();
    expect(calls.toSorted()).toEqual(Array.from({ length: 20 }, (_, index) => `node-${index}`).toSorted());
    expect(most).toBe(8);
  });

  it('lets one slow store write hold up no other attachment', async () => {
    const { run, track, tracked, clock, store } = setUp();
    for (let index = 0; index < 20; index++) await track(`vol-${index}`, 'node-a');
    await run();
    await clock.advance(30_000);
    const slow = Promise.withResolvers<void>();
    store.before = (call) => (call.volumeHandle === 'vol-0' ? slow.promise : undefined);
    const pass = run();
    await settle();
    await settle();
    expect([tracked(), [...store.records.keys()]]).toEqual([[], ['vol-0']]);
    slow.resolve();
    await pass;
  });

  it('counts an attachment that is detached in mid-pass as no action', async () => {
    const { run, track, clock, manager, abort, actions, store } = setUp();
    for (let index = 0; index < 9; index++) await track(`vol-${index}`, 'node-a');
    await run();
    await clock.advance(30_000);
    const slow = Promise.withResolvers<void>();
    store.before = () => slow.promise;
    const pass = run();
    await settle();
    const detached = manager.untrackAttachment('vol-8', abort.signal);
    await settle();
    slow.resolve();
    await Promise.all([pass, detached]);
    expect(actions).toHaveLength(8);
  });

  it('rejects with the reason of its signal once every lookup has settled, and starts and untracks no more', async () => {
    const gate = Promise.withResolvers<void>();
    let settled = 0;
    const nodes: NodeLister = {
      async getNode(name, signal) {
        await gate.promise;
        const index = Number(name.slice('node-'.length));
        for (let turn = 0; turn < 3 * index; turn++) await Promise.resolve();
        settled++;
        if (index % 2 === 0) signal.throwIfAborted();
        return undefined;
      },
    };
    const { run, track, tracked, abort, logger } = setUp({ nodes });
    for (let index = 0; index < 12; index++) await track(`vol-${index}`, `node-${index}`);
    const pass = run();
    await settle();
    abort.abort(new Error('shutting down'));
    gate.resolve();
    await expect(pass).rejects.toThrow('shutting down');
    expect([settled, tracked().length, logger.messages('warn')]).toEqual([8, 12, []]);
  });

  it('runs under the reconciler: a NotReady node only causes a pass, a deleted one is untracked at its deadline', async () => {
    const { pass, nodes, track, tracked, clock, abort } = setUp();
    nodes.set(nodeFact({ ready: false }));
    await track('vol', 'node-a');
    const reconciler = new AttachmentReconciler({ pass, clock });
    await reconciler.start(abort.signal);
    reconciler.triggerReconcile('node-not-ready');
    await settle();
    expect([nodes.calls.length, tracked()]).toEqual([2, ['vol']]);
    nodes.delete('node-a');
    reconciler.triggerReconcile('node-deleted');
    await clock.advance(29_999);
    expect(tracked()).toEqual(['vol']);
    await clock.advance(1);
    expect(tracked()).toEqual([]);
    await reconciler.stop();
    expect(clock.pendingTimers).toBe(0);
  });
});
