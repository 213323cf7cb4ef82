import { trace } from '@opentelemetry/api';
import type { AttachmentManager } from './attachment-manager.ts';
import { type AttachmentView, type ClusterView, readClusterView, type UnreadView } from './cluster-view.ts';
import { type Decision, decide } from './decide.ts';
import { DetachRequests } from './detach-requests.ts';
import type { Effect } from './effect.ts';
import { type ExecutePorts, execute } from './execute.ts';
import type { FenceFact, StorageReading } from './facts.ts';
import { LossHistory } from './loss-history.ts';
import { mapBounded } from './map-bounded.ts';
import { NodeAbsence } from './node-absence.ts';
import type { PassMemory } from './pass-memory.ts';
import type { Policy } from './policy.ts';
import type {
  ClusterActions,
  ClusterReader,
  Leadership,
  StorageBox,
  StorageFleet,
  StorageNode,
  StorageQuestion,
} from './ports.ts';
import type { PassContext, PassResult, ReconcilePass } from './reconcile-pass.ts';
import { decideUnfences, decideUnmarks, decideUntaints, type Recovery } from './recover.ts';
import { ReleaseVerdicts } from './release-verdicts.ts';
import { takeBack } from './take-back.ts';
import { ATTR_BOX } from './telemetry/semconv.ts';

/** What one pass came to. */
export interface PassReport {
  readonly nowMs: number;
  readonly reconcileId: string;
  /** The attacher whose attachments are ours. */
  readonly attacher: string;
  /** About what is at stake. Whatever else is attached stays: its nodes are ready. */
  readonly decisions: readonly Decision[];
  /** How many of our attachments there was nothing to decide about: they are on ready nodes. Default 0. */
  readonly leftOut?: number;
  readonly recoveries: readonly Recovery[];
  readonly effects: readonly Effect[];
  /** Fences of ours at every box, as it was last read. */
  readonly fences: readonly { readonly boxName: string; readonly fence: FenceFact }[];
}

/** Told of every pass, in order. Must not throw, and is not waited for. */
export interface PassObserver {
  passed(report: PassReport, signal: AbortSignal): void;
}

export interface ReleasePassOptions {
  readonly cluster: ClusterReader;
  readonly manager: AttachmentManager;
  readonly fleet: StorageFleet;
  readonly actions: ClusterActions;
  readonly leadership: Leadership;
  readonly observer: PassObserver;
  readonly policy: Policy;
  /** @see ExecutePorts.newFenceId */
  readonly newFenceId: () => string;
}

/** What one box's part of a pass came to. */
interface BoxResult {
  readonly decisions: readonly Decision[];
  readonly recoveries: readonly Recovery[];
  readonly effects: readonly Effect[];
  readonly nextDeadlineMs: number;
}

const COLLABORATORS = [
  'cluster',
  'manager',
  'fleet',
  'actions',
  'leadership',
  'observer',
  'policy',
  'newFenceId',
] as const;

/**
 * One look at everything: caches -> view -> box -> decisions -> writes. The part of each box runs on its own, so a sick box
 * delays nobody else's. Keeps no state that a restart may not lose: what has been done stands at the box and in Kubernetes.
 */
export class ReleasePass implements ReconcilePass {
  readonly #options: ReleasePassOptions;
  readonly #absence = new NodeAbsence();
  readonly #losses: LossHistory;
  readonly #requests = new DetachRequests();
  readonly #verdicts = new ReleaseVerdicts();
  /** Boxes fenced at since they were read, by name. A new process waits for the first reading of every box instead. */
  readonly #unread = new Set<string>();
  /** What each box said to the last pass that asked it, by name. */
  readonly #readings = new Map<string, StorageReading>();
  /** What passes remember, for looks that change nothing. */
  readonly memory: PassMemory = {
    absentSinceMs: (nodeName) => this.#absence.sinceMs(nodeName),
    recentLosses: (nodes) => this.#losses.with(nodes),
    lastReading: (boxName) => this.#readings.get(boxName),
  };
  readonly #tracer = trace.getTracer('@reattach/core');

  /** @throws {TypeError} naming each collaborator that is missing. */
  constructor(options: ReleasePassOptions) {
    const missing = COLLABORATORS.filter((name) => !options?.[name]);
    if (missing.length > 0) throw new TypeError(`ReleasePass needs ${missing.join(' and ')}`);
    this.#options = options;
    this.#losses = new LossHistory(options.policy.breaker.windowMs);
  }

  async run({ nowMs, reconcileId }: PassContext, signal: AbortSignal): Promise<PassResult> {
    const { cluster, manager, fleet, policy, observer } = this.#options;
    manager.rebuild(
      cluster.volumeAttachments(),
      (name) => cluster.persistentVolume(name),
      policy.attacher,
      nowMs,
    );
    const view = readClusterView({ ...this.#options, absence: this.#absence }, nowMs, 'at-stake');
    // A cache that is not current may lack Nodes; what it lacks was not lost.
    const isCurrent = view.cache.synced && nowMs - view.cache.freshAsOfMs <= policy.maxCacheAgeMs;
    const recentLosses = this.#losses.note(isCurrent ? view.nodes : new Map(), nowMs);
    const lost = view.attachments.filter(({ attachment }) => view.storageNodes.has(attachment.nodeName));
    const uids = new Set(lost.map(({ attachment }) => attachment.uid));
    this.#requests.retainOnly(uids);
    this.#verdicts.retainOnly(uids);
    const boxes = [undefined, ...fleet.boxes];
    const failures: unknown[] = [];
    const parts = await mapBounded(boxes, boxes.length, async (box) => {
      try {
        return [await this.#runPart(box, { ...view, recentLosses }, nowMs, signal)];
      } catch (err) {
        failures.push(err);
        return [];
      }
    });
    const results = parts.flat();
    observer.passed(
      {
        nowMs,
        reconcileId,
        attacher: policy.attacher,
        decisions: results.flatMap(({ decisions }) => decisions),
        leftOut: view.leftOut ?? 0,
        recoveries: results.flatMap(({ recoveries }) => recoveries),
        effects: results.flatMap(({ effects }) => effects),
        fences: [...lastReadings(fleet)].flatMap(([boxName, { fences = [] }]) =>
          fences.map((fence) => ({ boxName, fence })),
        ),
      },
      signal,
    );
    if (failures.length > 0) throw failures[0];
    const nextDeadlineMs = Math.min(...results.map((result) => result.nextDeadlineMs));
    return Number.isFinite(nextDeadlineMs) ? { nextDeadlineMs } : {};
  }

  /** @param box `undefined`: the attachments whose box is not known. */
  async #runPart(
    box: StorageBox | undefined,
    all: Omit<ClusterView, 'storage'>,
    nowMs: number,
    signal: AbortSignal,
  ): Promise<BoxResult> {
    const { policy } = this.#options;
    const unread = {
      ...all,
      attachments: all.attachments.filter((view) => view.box?.name === box?.name),
      storageNodes: withFencedAddresses(all.storageNodes, box?.lastReading),
    };
    const reading = box && (await this.#read(box, unread, signal));
    const view = { ...unread, storage: new Map(box && reading ? [[box.name, reading]] : []) };
    const plan = decide(view, policy, nowMs);
    this.#verdicts.note(plan.decisions, nowMs);
    const recoveries = box ? decideUnfences(view, policy, nowMs) : this.#decideWholeNodes(all, nowMs);
    const ports: ExecutePorts = {
      ...this.#options,
      requests: this.#requests,
      attachments: all.attachments,
      verdicts: this.#verdicts,
    };
    const effects = [
      ...(await execute(plan.decisions, nowMs, ports, signal)),
      ...(await takeBack(recoveries, this.#options, signal)),
    ];
    // A box nobody has read yet may hold a fence of an earlier process; it reads itself once it is connected.
    const mayHaveFence = (box && !box.lastReading) || (reading?.fences ?? []).length > 0;
    const hasFenced = effects.some(({ kind }) => kind === 'fenced');
    if (box && hasFenced) this.#unread.add(box.name);
    return {
      decisions: plan.decisions,
      recoveries,
      effects,
      nextDeadlineMs: Math.min(
        plan.nextDeadlineMs ?? Number.POSITIVE_INFINITY,
        mayHaveFence ? nowMs + policy.fence.pollMs : Number.POSITIVE_INFINITY,
        hasFenced ? nowMs : Number.POSITIVE_INFINITY, // read it back at once
      ),
    };
  }

  /** What concerns a node as a whole rests on the last word of every box. */
  #decideWholeNodes(all: Omit<ClusterView, 'storage'>, nowMs: number): readonly Recovery[] {
    const { policy, fleet } = this.#options;
    const storage = lastReadings(fleet);
    const view = { ...all, storage };
    const unmarks = storage.size === fleet.boxes.length ? decideUnmarks(view, policy, nowMs) : [];
    return [...decideUntaints(view, policy, nowMs), ...unmarks];
  }

  /** Asks the box when it holds a volume of a lost node, or may hold a fence of ours; else nobody is disturbed. */
  async #read(box: StorageBox, view: UnreadView, signal: AbortSignal): Promise<StorageReading | undefined> {
    const { policy } = this.#options;
    const lost = lostIn(view, policy.attacher);
    const mayBeFenced = (box.lastReading?.fences ?? []).length > 0 || this.#unread.has(box.name);
    if (lost.length === 0 && !mayBeFenced) return undefined;
    const question = questionAbout(view, lost);
    return this.#tracer.startActiveSpan(
      'observe storage',
      { attributes: { [ATTR_BOX]: box.name } },
      async (span) => {
        try {
          const reading = await box.observe(question, signal);
          this.#readings.set(box.name, reading);
          if (reading.fences) this.#unread.delete(box.name);
          return reading;
        } finally {
          span.end();
        }
      },
    );
  }
}

/** What the boxes said last: which fences there are changes only by what is done to them. */
function lastReadings({ boxes }: StorageFleet): ReadonlyMap<string, StorageReading> {
  return new Map(boxes.flatMap(({ name, lastReading }) => (lastReading ? [[name, lastReading]] : [])));
}

/** A Node nobody remembers, whose pods are gone too, is still known to the box by the fence that we put there. */
export function withFencedAddresses(
  storageNodes: ClusterView['storageNodes'],
  reading: StorageReading | undefined,
): ClusterView['storageNodes'] {
  const nodes = new Map(storageNodes);
  for (const { nodeName, addresses } of reading?.fences ?? []) {
    const node = nodes.get(nodeName);
    if (node?.addressesFrom !== 'pods') continue;
    nodes.set(nodeName, { ...node, addresses: [...new Set([...node.addresses, ...addresses])] });
  }
  return nodes;
}

/** Our attachments on lost nodes. */
export function lostIn({ attachments, storageNodes }: UnreadView, attacher: string): AttachmentView[] {
  return attachments.filter(
    ({ attachment }) => attachment.attacher === attacher && storageNodes.has(attachment.nodeName),
  );
}

/** What a box is asked about the attachments of lost nodes that it holds. */
export function questionAbout(view: UnreadView, lost: readonly AttachmentView[]): StorageQuestion {
  return { ...split(view, lost), volumes: volumesOf(lost) };
}

/** Lost nodes that hold an attachment at the box are its suspects; all others account for sessions. */
function split(
  view: UnreadView,
  lost: readonly AttachmentView[],
): { readonly suspects: StorageNode[]; readonly others: StorageNode[] } {
  const names = new Set(lost.map(({ attachment }) => attachment.nodeName));
  const suspects: StorageNode[] = [];
  const others: StorageNode[] = [];
  for (const state of view.nodes.values()) {
    const known = view.storageNodes.get(state.name);
    if (known && names.has(state.name)) suspects.push(known);
    else if (known) others.push(known);
    else if (state.kind === 'ready') {
      others.push({ name: state.name, addresses: state.node.storageAddresses, addressesFrom: 'node' });
    }
  }
  return { suspects, others };
}

function volumesOf(lost: readonly AttachmentView[]) {
  return lost.flatMap(({ volume }) =>
    volume?.volumeHandle === undefined
      ? []
      : [{ volumeHandle: volume.volumeHandle, volumeAttributes: volume.volumeAttributes }],
  );
}
