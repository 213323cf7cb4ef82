import { mapBounded } from '../execute/map-bounded.ts';
import type { ReconcileMetrics } from '../loop/reconcile-metrics.ts';
import type { PassContext, PassResult, ReconcilePass } from '../loop/reconcile-pass.ts';
import { requirePositive } from '../model/require-positive.ts';
import { type Logger, silentLogger } from '../ports/logger.ts';
import type { NodeLister } from '../ports/ports.ts';
import type { AttachmentManager } from '../tracking/attachment-manager.ts';
import { NodeAbsence } from '../view/node-absence.ts';

export interface UntrackPassOptions {
  readonly manager: AttachmentManager;
  readonly nodes: NodeLister;
  /** How long a Node must have been gone before its attachments are untracked, ms. Default 30 000. */
  readonly gracePeriodMs?: number;
  /** Default none. */
  readonly metrics?: ReconcileMetrics;
  /** Default silent. */
  readonly logger?: Logger;
}

const DEFAULT_GRACE_PERIOD_MS = 30_000;

/** Most Node lookups, and then untracks, in flight at once. */
const CONCURRENCY = 8;

type LookUp = 'present' | 'gone' | 'failed';

/** A volume a node holds. */
interface Holding {
  readonly volumeHandle: string;
  readonly attachedAtMs: number;
}

/** An attachment of a Node that is gone, and when it may be untracked. */
interface Orphan {
  readonly volumeHandle: string;
  readonly nodeName: string;
  readonly dueMs: number;
}

/**
 * The pass of a driver that embeds `core` without a storage port: it untracks attachments of Nodes that are gone, which
 * forgets our record and nothing else.
 *
 * A Node that is there keeps its attachments, ready or not. One that is gone loses them once it has been so, as far as
 * passes saw, for the grace, and once the hand-off grace of the volume is over. An attach shows that the Node was there,
 * so an absence seen before it does not count. A Node that could not be looked up is skipped: its attachments and the time
 * it has been missing stay as they are.
 */
export class UntrackPass implements ReconcilePass {
  readonly #manager: AttachmentManager;
  readonly #nodes: NodeLister;
  readonly #gracePeriodMs: number;
  readonly #metrics: ReconcileMetrics | undefined;
  readonly #logger: Logger;
  readonly #absence = new NodeAbsence();

  /** @throws {TypeError} naming each collaborator that is missing, or an option that is out of range. */
  constructor(options: UntrackPassOptions) {
    const missing = (['manager', 'nodes'] as const).filter((name) => !options?.[name]);
    if (missing.length > 0) throw new TypeError(`UntrackPass needs ${missing.join(' and ')}`);
    this.#manager = options.manager;
    this.#nodes = options.nodes;
    this.#gracePeriodMs = requirePositive('gracePeriodMs', options.gracePeriodMs ?? DEFAULT_GRACE_PERIOD_MS);
    this.#metrics = options.metrics;
    this.#logger = options.logger ?? silentLogger;
  }

  /**
   * @returns the earliest moment at which an attachment may be untracked; a lookup that failed is tried again after
   * the grace at the latest.
   * @throws `signal.reason` when aborted, once everything in flight has settled.
   */
  async run({ nowMs }: PassContext, signal: AbortSignal): Promise<PassResult> {
    const holdingsOf = this.#holdingsByNode();
    this.#absence.retainOnly(new Set(holdingsOf.keys()));
    const orphans: Orphan[] = [];
    let nextDeadlineMs = Number.POSITIVE_INFINITY;
    await mapBounded([...holdingsOf], CONCURRENCY, async ([nodeName, holdings]) => {
      signal.throwIfAborted();
      const found = await this.#lookUp(nodeName, signal);
      if (found === 'present') this.#absence.forget(nodeName);
      if (found === 'failed') nextDeadlineMs = Math.min(nextDeadlineMs, nowMs + this.#gracePeriodMs);
      if (found !== 'gone') return;
      const graceOverMs = this.#goneSinceMs(nodeName, holdings, nowMs) + this.#gracePeriodMs;
      for (const { volumeHandle } of holdings) {
        const dueMs = Math.max(graceOverMs, this.#manager.handOffUntilMs(volumeHandle, nowMs) ?? 0);
        orphans.push({ volumeHandle, nodeName, dueMs });
      }
    });
    for (const { dueMs } of orphans) if (dueMs > nowMs) nextDeadlineMs = Math.min(nextDeadlineMs, dueMs);
    const due = orphans.filter(({ dueMs }) => dueMs <= nowMs);
    await mapBounded(due, CONCURRENCY, (orphan) => this.#untrack(orphan, signal));
    return Number.isFinite(nextDeadlineMs) ? { nextDeadlineMs } : {};
  }

  #holdingsByNode(): Map<string, Holding[]> {
    const holdingsOf = new Map<string, Holding[]>();
    for (const { volumeHandle, nodeNames, attachedAtMs, migration } of this.#manager.attachments()) {
      const [primary, secondary] = nodeNames;
      add(holdingsOf, primary, { volumeHandle, attachedAtMs });
      if (secondary === undefined) continue;
      add(holdingsOf, secondary, { volumeHandle, attachedAtMs: migration?.startedAtMs ?? attachedAtMs });
    }
    return holdingsOf;
  }

  async #lookUp(nodeName: string, signal: AbortSignal): Promise<LookUp> {
    try {
      return (await this.#nodes.getNode(nodeName, signal)) ? 'present' : 'gone';
    } catch (err) {
      signal.throwIfAborted();
      this.#logger.warn('Could not look up node', { err, node: nodeName });
      return 'failed';
    }
  }

  #goneSinceMs(nodeName: string, holdings: readonly Holding[], nowMs: number): number {
    const sinceMs = this.#absence.record(nodeName, nowMs);
    if (holdings.every(({ attachedAtMs }) => attachedAtMs <= sinceMs)) return sinceMs;
    this.#absence.forget(nodeName);
    return this.#absence.record(nodeName, nowMs);
  }

  /** The other node of a volume that migrates keeps it. */
  async #untrack({ volumeHandle, nodeName }: Orphan, signal: AbortSignal): Promise<void> {
    const result = await this.#manager.removeNodeAttachment(volumeHandle, nodeName, signal);
    if (result === 'not-attached') return;
    this.#metrics?.recordAction('untrack');
    this.#logger.info('Untracked attachment of node that is gone', { volumeHandle, node: nodeName });
  }
}

function add<K, V>(lists: Map<K, V[]>, key: K, value: V): void {
  const list = lists.get(key);
  if (list) list.push(value);
  else lists.set(key, [value]);
}
