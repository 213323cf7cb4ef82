import type { ReconcileAction, TriggerReason } from '@reattach/core';
import { nodeFact, RecordingLogger, RecordingTelemetry } from '@reattach/core/testing';
import { beforeEach, describe, expect, it } from 'vitest';
import { DeletedFinalStateUnknown } from './deleted-final-state-unknown.ts';
import { NodeWatcher } from './node-watcher.ts';

const ready = nodeFact();
const notReady = nodeFact({ ready: false });
const recreated = nodeFact({ uid: 'another' });
const tombstone = (last: unknown) => new DeletedFinalStateUnknown('node-a', last);

describe('NodeWatcher', () => {
  let reasons: TriggerReason[];
  let actions: ReconcileAction[];
  let logger: RecordingLogger;
  const reconciler = { triggerReconcile: (reason: TriggerReason) => void reasons.push(reason) };
  const metrics = { recordAction: (action: ReconcileAction) => void actions.push(action) };
  const handlers = () => new NodeWatcher(reconciler, metrics, logger).getEventHandlers();

  beforeEach(() => {
    reasons = [];
    actions = [];
    logger = new RecordingLogger();
  });

  it.each([
    ['Ready -> NotReady', ready, notReady, ['node-not-ready']],
    ['NotReady -> NotReady', notReady, notReady, []],
    ['Ready -> Ready', ready, ready, []],
    ['NotReady -> Ready', notReady, ready, []],
    ['Ready -> Ready with another uid', ready, recreated, ['node-deleted']],
    ['Ready -> NotReady with another uid', ready, { ...recreated, ready: false }, ['node-deleted']],
  ])('update %s -> %4$j', (_name, old, node, expected) => {
    handlers().onUpdate(old, node);
    expect(reasons).toEqual(expected);
    expect(actions).toEqual(expected.map(() => 'node_watcher_trigger'));
  });

  it('asks in a span that names the Node, and ends it though the asking throws', () => {
    using telemetry = new RecordingTelemetry();
    const asking = {
      triggerReconcile: () => {
        throw new Error('a bug');
      },
    };
    expect(() => new NodeWatcher(asking).getEventHandlers().onDelete(ready)).toThrow('a bug');
    expect(telemetry.spans).toMatchObject([
      {
        name: 'notice lost node',
        attributes: {
          'k8s.node.name': 'node-a',
          'k8s.node.uid': 'uid-of-node-a',
          'reattach.trigger.reason': 'node-deleted',
        },
        ended: true,
      },
    ]);
  });

  it.each([
    ['a Ready Node', ready],
    ['a NotReady Node', notReady],
    ['a tombstone', tombstone(ready)],
  ])('delete of %s triggers node-deleted', (_name, node) => {
    handlers().onDelete(node);
    expect(reasons).toEqual(['node-deleted']);
    expect(actions).toEqual(['node_watcher_trigger']);
  });

  it('does nothing about a Node that is added, Ready or not', () => {
    handlers().onAdd(ready);
    handlers().onAdd(notReady);
    expect(reasons).toEqual([]);
  });

  it('takes an add with another uid for a delete that was missed', () => {
    const { onAdd } = handlers();
    onAdd(ready);
    onAdd(ready);
    expect(reasons).toEqual([]);
    onAdd(recreated);
    onAdd(recreated);
    expect(reasons).toEqual(['node-deleted']);
  });

  it('triggers once for a delete that is followed by an add with another uid', () => {
    const { onAdd, onDelete } = handlers();
    onAdd(ready);
    onDelete(tombstone(ready));
    onAdd(recreated);
    expect(reasons).toEqual(['node-deleted']);
  });

  it('knows the uid from an update, too', () => {
    const { onAdd, onUpdate } = handlers();
    onUpdate(ready, recreated);
    onAdd(recreated);
    expect(reasons).toEqual(['node-deleted']);
  });

  it.each([
    undefined,
    null,
    'node-a',
    {},
    { name: 'node-a', uid: 'u' },
    tombstone(undefined),
    tombstone(tombstone(ready)),
  ])('logs and ignores %j', (object) => {
    const { onAdd, onUpdate, onDelete } = handlers();
    onAdd(object);
    onUpdate(object, notReady);
    onUpdate(ready, object);
    onDelete(object);
    expect(reasons).toEqual([]);
    expect(actions).toEqual([]);
    expect(logger.messages('warn')).toHaveLength(4);
  });

  it('works without metrics and logger', () => {
    new NodeWatcher(reconciler).getEventHandlers().onDelete(ready);
    expect(reasons).toEqual(['node-deleted']);
  });

  it('requires a reconciler', () => {
    expect(() => new NodeWatcher(undefined as never)).toThrow(TypeError);
  });
});
