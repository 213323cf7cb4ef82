import {
  type Cleanup,
  decideFencedTaintRemovals,
  decideUnfences,
  decideUntaints,
  fencesIn,
} from '../decide/cleanups.ts';
import { type Decision, decide } from '../decide/decide.ts';
import { DetachRequests } from '../execute/detach-requests.ts';
import type { Effect } from '../execute/effect.ts';
import {
  type Begun,
  type ExecutePorts,
  execute,
  MAX_NODES_AT_ONCE,
  type NodeWorks,
} from '../execute/execute.ts';
import { ReleaseVerdicts } from '../execute/release-verdicts.ts';
import { restoreFences } from '../execute/restore-fences.ts';
import { runCleanups } from '../execute/run-cleanups.ts';
import { WorkInFlight } from '../execute/work-in-flight.ts';
import type { PassContext, PassResult, ReconcilePass } from '../loop/reconcile-pass.ts';
import type { Fence } from '../model/fence-record.ts';
import type { Policy } from '../model/policy.ts';
import { ipAddresses } from '../model/storage-address.ts';
import type { StorageReading } from '../model/storage-reading.ts';
import type { Clock } from '../ports/clock.ts';
import type {
  ClusterActions,
  ClusterReader,
  Leadership,
  LostNodeRecords,
  StorageFleet,
} from '../ports/ports.ts';
import type { StorageBackend } from '../ports/storage-backend.ts';
import { traceDecisions } from '../telemetry/decision-spans.ts';
import { observeInSpan } from '../telemetry/observe-span.ts';
import type { AttachmentManager } from '../tracking/attachment-manager.ts';
import { type ClusterView, readClusterView, type UnreadView } from '../view/cluster-view.ts';
import { countedLosses, LossHistory } from '../view/loss-history.ts';
import { NodeAbsence } from '../view/node-absence.ts';
import { lostIn, queryAbout, withAddresses, withFencedAddresses } from '../view/storage-query.ts';
import type { PassHistory } from './pass-history.ts';
import { RecurringWork, type Run } from './recurring-work.ts';
import { StandingFences } from './standing-fences.ts';

/** What one pass came to. */
export interface PassReport {
  readonly nowMs: number;
  readonly reconcileId: string;
  /** The attacher whose attachments are ours. */
  readonly attacher: string;
  /** About what is at stake. Whatever else is attached stays: its nodes are ready. */
  readonly decisions: readonly Decision[];
  /** How many of our attachments there was nothing to decide about: they are on ready nodes. Default 0. */
  readonly healthyCount?: number;
  readonly cleanups: readonly Cleanup[];
  readonly effects: readonly Effect[];
  /** Fences of ours at every backend, as it was last read. */
  readonly fences: readonly { readonly backendName: string; readonly fence: Fence }[];
}

/** Told of what passes came to, in order; of none in which nothing ended. Must not throw, and is not waited for. */
export interface PassObserver {
  passed(report: PassReport, signal: AbortSignal): void;
}

export interface ReleasePassOptions {
  readonly cluster: ClusterReader;
  readonly manager: AttachmentManager;
  readonly fleet: StorageFleet;
  readonly actions: ClusterActions;
  readonly leadership: Leadership;
  /** Absent: a deleted Node without pods is held after a restart, unless it is fenced. */
  readonly records?: LostNodeRecords;
  readonly observer: PassObserver;
  readonly clock: Clock;
  readonly policy: Policy;
  /** uid of Namespace `kube-system`, which tells clusters at one backend apart; absent: not known. */
  readonly clusterId?: () => string | undefined;
  /** @see ExecutePorts.newFenceId */
  readonly newFenceId: () => string;
}

/** What one backend's part of a pass came to. */
interface BackendPart extends Run, Begun {
  readonly decisions: readonly Decision[];
  readonly cleanups: readonly Cleanup[];
  /** What was taken back. */
  readonly effects: readonly Effect[];
}

/** How long a pass waits for what it has begun, ms: what takes longer goes on beside the next passes, and delays nobody else. */
const PATIENCE_MS = 250;

const NONE: ReadonlySet<string> = new Set();

/** Key of the part that is about attachments whose backend is not known, and about nodes as a whole. */
const NO_BACKEND = 'no backend';

const COLLABORATORS = [
  'cluster',
  'manager',
  'fleet',
  'actions',
  'leadership',
  'observer',
  'clock',
  'policy',
  'newFenceId',
] as const;

/**
 * One look at everything: caches -> view -> backend -> decisions -> writes. The part of each backend, and the writes for each node, run on
 * their own: what outlasts the pass's patience is left to end by itself and is not begun again before it has. Keeps no state that a
 * restart may not lose: what has been done stands at the backend and in Kubernetes.
 * @see docs/adr/0010-work-outlasts-a-pass.md
 */
export class ReleasePass implements ReconcilePass {
  readonly #options: ReleasePassOptions;
  readonly #absence = new NodeAbsence();
  readonly #losses: LossHistory;
  readonly #requests = new DetachRequests();
  readonly #verdicts = new ReleaseVerdicts();
  readonly #standing = new StandingFences();
  /**
   * Backends whose fences may have changed since they were read, by name; another value for each change. A new process waits for
   * the first reading of every backend instead.
   */
  readonly #unread = new Map<string, symbol>();
  /** What each backend said to the last pass that asked it, by name. */
  readonly #readings = new Map<string, StorageReading>();
  /** The lost nodes as they were last named to each backend. */
  readonly #storageNodes = new Map<string, ClusterView['storageNodes']>();
  /** What passes remember, for looks that change nothing. */
  readonly memory: PassHistory = {
    absentSinceMs: (nodeName) => this.#absence.sinceMs(nodeName),
    recentLosses: (nodes) => this.#losses.with(nodes),
    lastReading: (backendName) => this.#readings.get(backendName),
    storageAddresses: (backendName, nodeName) =>
      this.#storageNodes.get(backendName)?.get(nodeName)?.addresses ?? [],
  };
  /** Looks at backends. */
  readonly #parts = new RecurringWork<BackendPart>(() => this.#onWorkEnded());
  /** Writes for nodes that are under way. */
  readonly #works: NodeWorks = new WorkInFlight(MAX_NODES_AT_ONCE, () => this.#onWorkEnded());
  /** Requests the next pass; absent while a pass runs, which takes what has ended itself. */
  #wake: (() => void) | undefined;
  /** Work has ended whose outcome no pass has taken. */
  #hasEnded = false;
  /** When the last pass began, epoch ms. */
  #lastNowMs = Number.NEGATIVE_INFINITY;
  /** Effects of before, seen only now. */
  readonly #unconfirmed: Effect[] = [];
  /** @see PassReport.healthyCount */
  #healthyCount = 0;

  /** @throws {TypeError} naming each collaborator that is missing. */
  constructor(options: ReleasePassOptions) {
    const missing = COLLABORATORS.filter((name) => !options?.[name]);
    if (missing.length > 0) throw new TypeError(`ReleasePass needs ${missing.join(' and ')}`);
    this.#options = options;
    this.#losses = new LossHistory(options.policy.breaker.windowMs);
  }

  async run(context: PassContext, signal: AbortSignal): Promise<PassResult> {
    this.#wake = undefined;
    try {
      return await this.#run(context, signal);
    } finally {
      if (!signal.aborted) this.#wake = context.wake;
      if (this.#hasEnded) this.#onWorkEnded();
    }
  }

  #onWorkEnded(): void {
    this.#hasEnded = true;
    this.#wake?.();
    this.#wake = undefined; // one request is enough
  }

  async #run(context: PassContext, signal: AbortSignal): Promise<PassResult> {
    const { nowMs } = context;
    const { fleet, clock } = this.#options;
    if (context.reasons.has('startup')) this.#beginTerm();
    // Time that has passed is news only to those who wait for it; anything else, or a clock set back, may concern every backend.
    const hasNews = nowMs < this.#lastNowMs || [...context.reasons].some((reason) => reason !== 'deadline');
    this.#lastNowMs = nowMs;
    this.#parts.update(nowMs);
    const isDue = (key: string) => hasNews || this.#parts.isDue(key, nowMs);
    const before = { parts: this.#parts.keys, works: this.#works.keys };
    const patience = Promise.withResolvers<void>();
    using _patience = clock.after(PATIENCE_MS, patience.resolve);
    const begun = new Set<string>();
    if ([undefined, ...fleet.backends].some((backend) => isDue(keyOf(backend)))) {
      const view = this.#readFacts(nowMs);
      const backends = fleet.backends.filter(
        (backend) => isDue(keyOf(backend)) || this.#isNewAt(backend, view),
      );
      const begin = (backend: StorageBackend | undefined) => {
        const key = keyOf(backend);
        if (this.#parts.begin(key, () => this.#runPart(backend, view, nowMs, signal))) begun.add(key);
      };
      backends.forEach(begin);
      await Promise.race([this.#parts.ended(before.parts), patience.promise]);
      if (!signal.aborted) begin(undefined); // what concerns whole nodes rests on what the backends have just said
    }
    await Promise.race([this.#endOf(before), patience.promise]);
    if (signal.aborted) {
      await this.settled();
      throw signal.reason;
    }
    return this.#conclude(context, begun, signal);
  }

  /** Resolves once nothing that passes have begun is under way. */
  async settled(): Promise<void> {
    await this.#parts.settled(); // which begin works
    await this.#works.settled();
  }

  async #endOf(except: {
    readonly parts: ReadonlySet<string>;
    readonly works: ReadonlySet<string>;
  }): Promise<void> {
    await this.#parts.ended(except.parts); // which begin works
    await this.#works.ended(except.works);
  }

  /** A lost node holds an attachment at the backend that its part has not decided about: its PersistentVolume may have come late. */
  #isNewAt(backend: StorageBackend, view: UnreadView): boolean {
    const key = keyOf(backend);
    if (this.#parts.keys.has(key)) return false; // then it is asked when it has ended
    const decided = new Set(this.#parts.latest.get(key)?.decisions.map(({ attachment }) => attachment.uid));
    const lost = lostIn(view, this.#options.policy.attacher);
    return lost.some((each) => each.backend?.name === backend.name && !decided.has(each.attachment.uid));
  }

  /** Passes were run elsewhere, or not at all, since the last one: what was found then counts no longer. */
  #beginTerm(): void {
    this.#parts.reset();
    this.#works.take();
    this.#standing.clear();
    this.#absence.retainOnly(NONE);
    for (const { name, lastReading } of this.#options.fleet.backends)
      if (lastReading) this.#unread.set(name, Symbol());
  }

  #readFacts(nowMs: number): Omit<ClusterView, 'storage'> {
    const { cluster, manager, policy } = this.#options;
    manager.rebuild(
      cluster.volumeAttachments(),
      (name) => cluster.persistentVolume(name),
      policy.attacher,
      nowMs,
    );
    const view = readClusterView(
      { ...this.#options, clusterId: this.#options.clusterId?.(), absence: this.#absence },
      nowMs,
      'affected',
    );
    // A cache that is not current may lack Nodes; what it lacks was not lost.
    const isCurrent = view.cache.synced && nowMs - view.cache.freshAsOfMs <= policy.maxCacheAgeMs;
    const recentLosses = this.#losses.record(
      isCurrent ? countedLosses(view, policy.attacher) : new Map(),
      nowMs,
    );
    const uids = new Set(lostIn(view, policy.attacher).map(({ attachment }) => attachment.uid));
    const existing = () => [...cluster.volumeAttachments()].map(({ uid }) => uid);
    if (isCurrent) this.#unconfirmed.push(...this.#requests.takeConfirmed(existing));
    this.#requests.retainOnly(uids);
    this.#verdicts.retainOnly(uids);
    this.#healthyCount = view.healthyCount ?? 0;
    return { ...view, recentLosses };
  }

  /**
   * Reports what has ended since the last report, beside what was decided before where that has not.
   * @param begun the parts that this pass began; what another backend says late concerns nodes as a whole once more
   */
  #conclude(
    { nowMs, reconcileId }: PassContext,
    begun: ReadonlySet<string>,
    signal: AbortSignal,
  ): PassResult {
    const { observer, policy, fleet } = this.#options;
    this.#hasEnded = false;
    this.#parts.update(nowMs);
    const parts = this.#parts.take();
    const works = this.#works.take();
    if (parts.results.some(({ key }) => key !== NO_BACKEND && !begun.has(key)))
      this.#parts.makeDue(NO_BACKEND, nowMs);
    const effects = [
      ...this.#unconfirmed.splice(0),
      ...works.results.flat(),
      ...parts.results.flatMap((part) => part.effects),
    ];
    for (const effect of effects) {
      this.#remember(effect);
      const backendName = changedBackend(effect);
      if (backendName === undefined) continue;
      this.#unread.set(backendName, Symbol());
      // Read it back at once; what failed, as soon as a fence is looked at.
      const inMs = effect.kind === 'failed' || effect.kind === 'restore-failed' ? policy.fence.pollMs : 0;
      this.#parts.makeDue(keyOf({ name: backendName }), nowMs + inMs);
    }
    const latest = [...this.#parts.latest.values()];
    if (works.results.length > 0) {
      for (const { key, isAllBegun } of latest) if (!isAllBegun) this.#parts.makeDue(key, nowMs);
    }
    if (parts.results.length + effects.length > 0) {
      observer.passed(
        {
          nowMs,
          reconcileId,
          attacher: policy.attacher,
          decisions: latest.flatMap(({ decisions }) => decisions),
          healthyCount: this.#healthyCount,
          cleanups: latest.flatMap(({ cleanups }) => cleanups),
          effects,
          fences: fencesIn({ storage: lastReadings(fleet) }),
        },
        signal,
      );
    }
    const [failure] = [...parts.failures, ...works.failures];
    if (failure !== undefined) throw failure;
    const { nextDeadlineMs } = this.#parts;
    return Number.isFinite(nextDeadlineMs) ? { nextDeadlineMs } : {};
  }

  /** @param backend `undefined`: the attachments whose backend is not known. */
  async #runPart(
    backend: StorageBackend | undefined,
    all: Omit<ClusterView, 'storage'>,
    nowMs: number,
    signal: AbortSignal,
  ): Promise<BackendPart> {
    const { policy, fleet } = this.#options;
    const storageNodes = withFencedAddresses(all.storageNodes, backend?.lastReading);
    const unread = {
      ...all,
      attachments: all.attachments.filter((view) => view.backend?.name === backend?.name),
      storageNodes: backend ? await this.#withRecordedAddresses(storageNodes, all, signal) : storageNodes,
    };
    if (backend) this.#storageNodes.set(backend.name, unread.storageNodes);
    const reading = backend && (await this.#read(backend, unread, signal));
    const view = { ...unread, storage: new Map(backend && reading ? [[backend.name, reading]] : []) };
    const decidedAtMs = this.#options.clock.now(); // the reading may have taken long: ages are of now
    const plan = decide(view, policy, decidedAtMs);
    traceDecisions(plan.decisions, policy.attacher);
    this.#verdicts.record(plan.decisions);
    const cleanups = backend
      ? decideUnfences(view, policy, decidedAtMs, this.#fencesElsewhere(backend))
      : this.#decideWholeNodes(all, decidedAtMs);
    const deferred = this.#parts.latest.get(keyOf(backend))?.deferred;
    const ports: ExecutePorts = {
      ...this.#options,
      clusterId: all.clusterId,
      ...(deferred && { deferred }),
      requests: this.#requests,
      attachments: all.attachments,
      verdicts: this.#verdicts,
      works: this.#works,
      storageNodes: unread.storageNodes,
      fences: reading?.fences ?? [],
    };
    const begun = execute(plan.decisions, decidedAtMs, ports, signal);
    const owner = {
      owner: policy.attacher,
      ...(all.clusterId !== undefined && { clusterId: all.clusterId }),
    };
    const missing =
      backend && reading?.fences && policy.mode === 'fence'
        ? this.#standing.read(backend.name, reading.fences, owner)
        : [];
    const restored = backend ? await restoreFences(missing, backend, this.#options, signal) : [];
    const effects = [...restored, ...(await runCleanups(cleanups, { ...ports, fleet }, signal))];
    // A backend nobody has read yet may hold a fence of an earlier process; it reads itself once it is connected.
    const isToRead = backend && (!backend.lastReading || this.#unread.has(backend.name));
    const mayHaveFence =
      isToRead || (backend && this.#standing.has(backend.name)) || (reading?.fences ?? []).length > 0;
    return {
      key: keyOf(backend),
      decisions: plan.decisions,
      cleanups,
      effects,
      nextDeadlineMs: Math.min(
        plan.nextDeadlineMs ?? Number.POSITIVE_INFINITY,
        mayHaveFence ? nowMs + policy.fence.pollMs : Number.POSITIVE_INFINITY,
      ),
      ...begun,
    };
  }

  /** A Node that this process never saw was recorded by the one that began its release, for the attachments there were then. */
  async #withRecordedAddresses(
    storageNodes: ClusterView['storageNodes'],
    { attachments }: UnreadView,
    signal: AbortSignal,
  ): Promise<ClusterView['storageNodes']> {
    const { records, policy } = this.#options;
    const ours = Map.groupBy(
      attachments.filter(({ attachment }) => attachment.attacher === policy.attacher),
      ({ attachment }) => attachment.nodeName,
    );
    const unseen = [...storageNodes.values()].filter(
      ({ name, addressesFrom }) => addressesFrom === 'pods' && ours.has(name),
    );
    if (!records || unseen.length === 0) return storageNodes;
    const known = await records.read(signal);
    const nodes = new Map(storageNodes);
    for (const node of unseen) {
      const record = known.get(node.name);
      const recorded = new Set(record?.attachmentUids);
      if (!record || !ours.get(node.name)?.every(({ attachment }) => recorded.has(attachment.uid))) continue;
      nodes.set(node.name, withAddresses(node, ipAddresses(record.addresses)));
    }
    return nodes;
  }

  /** Fences that we made stand from now on, those that we removed do not. */
  #remember(effect: Effect): void {
    const [decision] = 'decisions' in effect ? effect.decisions : [];
    if (effect.kind === 'fenced' && decision?.backend)
      this.#standing.made(decision.backend.name, effect.fence);
    if (effect.kind === 'unfenced' && 'fence' in effect.cleanup)
      this.#standing.removed(effect.cleanup.backendName, effect.cleanup.fence.id);
    if (effect.kind === 'fence-forgotten') this.#standing.removed(effect.backendName, effect.fence.id);
  }

  #fencesElsewhere({ name }: StorageBackend): readonly Fence[] {
    const others = this.#options.fleet.backends.filter((backend) => backend.name !== name);
    return others.flatMap(({ lastReading }) => lastReading?.fences ?? []);
  }

  /** What concerns a node as a whole rests on the last word of every backend. */
  #decideWholeNodes(all: Omit<ClusterView, 'storage'>, nowMs: number): readonly Cleanup[] {
    const { policy, fleet } = this.#options;
    const storage = lastReadings(fleet);
    const view = { ...all, storage };
    const isAllRead = storage.size === fleet.backends.length && this.#unread.size === 0;
    const standing = this.#standing.nodeNames;
    const fencedTaintRemovals = isAllRead
      ? decideFencedTaintRemovals(view, policy, nowMs).filter(
          (cleanup) => !('node' in cleanup && standing.has(cleanup.node.name)),
        )
      : [];
    return [...decideUntaints(view, policy, nowMs), ...fencedTaintRemovals];
  }

  /** Asks the backend when it holds a volume of a lost node, or may hold a fence of ours; else nobody is disturbed. */
  async #read(
    backend: StorageBackend,
    view: UnreadView,
    signal: AbortSignal,
  ): Promise<StorageReading | undefined> {
    const { policy } = this.#options;
    const lost = lostIn(view, policy.attacher);
    const mayBeFenced =
      (backend.lastReading?.fences ?? []).length > 0 ||
      this.#standing.has(backend.name) ||
      this.#unread.has(backend.name);
    if (lost.length === 0 && !mayBeFenced) return undefined;
    const query = queryAbout(view, lost, policy.attacher);
    const change = this.#unread.get(backend.name); // one made during the reading may not be in it
    const reading = await observeInSpan(backend, query, signal);
    this.#readings.set(backend.name, reading);
    if (reading.fences && this.#unread.get(backend.name) === change) this.#unread.delete(backend.name);
    return reading;
  }
}

/** Name of the backend at which a fence was, or may have been, made or removed. */
function changedBackend(effect: Effect): string | undefined {
  if (effect.kind === 'fence-restored' || effect.kind === 'restore-failed') return effect.backendName;
  if (effect.kind === 'fenced' || (effect.kind === 'failed' && effect.step === 'fence'))
    return effect.decisions[0]?.backend?.name;
  return effect.kind === 'unfenced' && 'fence' in effect.cleanup ? effect.cleanup.backendName : undefined;
}

function keyOf(backend: Pick<StorageBackend, 'name'> | undefined): string {
  return backend ? `backend ${backend.name}` : NO_BACKEND;
}

/** What the backends said last: which fences there are changes only by what is done to them. */
function lastReadings({ backends }: StorageFleet): ReadonlyMap<string, StorageReading> {
  return new Map(backends.flatMap(({ name, lastReading }) => (lastReading ? [[name, lastReading]] : [])));
}
