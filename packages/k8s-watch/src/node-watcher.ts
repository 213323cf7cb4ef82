import {
  type Logger,
  type NodeFact,
  type ReconcileMetrics,
  type ReconcileTrigger,
  silentLogger,
  type TriggerReason,
} from '@reattach/core';
import { DeletedFinalStateUnknown } from './deleted-final-state-unknown.ts';
import { ATTR_NODE_NAME, ATTR_NODE_UID, ATTR_TRIGGER_REASON, inNoticeSpan } from './telemetry/notice-span.ts';

/** Handlers that take whatever an informer hands them. */
export interface NodeEventHandlers {
  readonly onAdd: (node: unknown) => void;
  readonly onUpdate: (old: unknown, node: unknown) => void;
  readonly onDelete: (nodeOrTombstone: unknown) => void;
}

/**
 * Asks for a pass when a Node is lost: Ready to NotReady is `node-not-ready`; a deletion, also one learned late or from
 * another uid under the same name, is `node-deleted`. Nothing else is: not a Node that stays Ready or NotReady, not a
 * new one. Each request is recorded as action `node_watcher_trigger`. What is neither Node nor tombstone is logged and
 * ignored.
 */
export class NodeWatcher {
  readonly #reconciler: ReconcileTrigger;
  readonly #metrics: ReconcileMetrics | undefined;
  readonly #logger: Logger;
  /** Uid of each Node that exists, by name. */
  readonly #uids = new Map<string, string>();

  /** @param metrics absent: nothing is recorded. @throws {TypeError} without a reconciler. */
  constructor(reconciler: ReconcileTrigger, metrics?: ReconcileMetrics, logger: Logger = silentLogger) {
    if (!reconciler) throw new TypeError(`Expected a reconciler, got ${String(reconciler)}`);
    this.#reconciler = reconciler;
    this.#metrics = metrics;
    this.#logger = logger;
  }

  getEventHandlers(): NodeEventHandlers {
    return {
      onAdd: (node) => this.#onAdd(node),
      onUpdate: (old, node) => this.#onUpdate(old, node),
      onDelete: (nodeOrTombstone) => this.#onDelete(nodeOrTombstone),
    };
  }

  #onAdd(node: unknown): void {
    if (!isNodeFact(node)) {
      this.#ignore('add', node);
      return;
    }
    const uid = this.#uids.get(node.name);
    this.#uids.set(node.name, node.uid);
    if (uid !== undefined && uid !== node.uid) this.#trigger('node-deleted', node.name, uid);
  }

  #onUpdate(old: unknown, node: unknown): void {
    if (!isNodeFact(old) || !isNodeFact(node)) {
      this.#ignore('update', isNodeFact(old) ? node : old);
      return;
    }
    this.#uids.set(node.name, node.uid);
    if (old.uid !== node.uid) this.#trigger('node-deleted', old.name, old.uid);
    else if (old.ready && !node.ready) this.#trigger('node-not-ready', node.name, node.uid);
  }

  #onDelete(nodeOrTombstone: unknown): void {
    const node = nodeOrTombstone instanceof DeletedFinalStateUnknown ? nodeOrTombstone.last : nodeOrTombstone;
    if (!isNodeFact(node)) {
      this.#ignore('delete', node);
      return;
    }
    this.#uids.delete(node.name);
    this.#trigger('node-deleted', node.name, node.uid);
  }

  #trigger(reason: TriggerReason, node: string, nodeUid: string): void {
    this.#metrics?.recordAction('node_watcher_trigger');
    const attributes = {
      [ATTR_NODE_NAME]: node,
      [ATTR_NODE_UID]: nodeUid,
      [ATTR_TRIGGER_REASON]: reason,
    };
    inNoticeSpan('notice lost node', attributes, () => {
      this.#logger.info('Lost Node', { node, nodeUid, reasons: [reason] });
      this.#reconciler.triggerReconcile(reason);
    });
  }

  #ignore(event: string, object: unknown): void {
    this.#logger.warn('Ignored an event of an object that is not a Node', { event, type: typeof object });
  }
}

function isNodeFact(value: unknown): value is NodeFact {
  if (typeof value !== 'object' || value === null) return false;
  const { name, uid, ready } = value as Partial<Record<keyof NodeFact, unknown>>;
  return typeof name === 'string' && typeof uid === 'string' && typeof ready === 'boolean';
}
