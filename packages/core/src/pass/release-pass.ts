import { fencesIn } from '../decide/cleanups.ts';
import type { Effect } from '../execute/effect.ts';
import { MAX_NODES_AT_ONCE, type NodeWork } from '../execute/node-plan.ts';
import { WorkInFlight } from '../execute/work-in-flight.ts';
import type { PassContext, PassResult, ReconcilePass } from '../loop/reconcile-pass.ts';
import type { StorageBackend } from '../ports/storage-backend.ts';
import type { AttachmentManager } from '../tracking/attachment-manager.ts';
import type { UnreadView } from '../view/cluster-view.ts';
import { lostIn } from '../view/storage-query.ts';
import { ViewReader } from '../view/view-reader.ts';
import { changedBackend, PassHistory } from './pass-history.ts';
import type { PassObserver } from './pass-report.ts';
import {
  lastReadings,
  NODES_KEY,
  type ScopePorts,
  type ScopeResult,
  ScopeWorker,
  scopeKey,
} from './scope-worker.ts';
import { WorkQueue } from './work-queue.ts';

export interface ReleasePassOptions extends ScopePorts {
  readonly manager: AttachmentManager;
  readonly observer: PassObserver;
  /** uid of Namespace `kube-system`, which distinguishes clusters at one backend; absent: not known. */
  readonly clusterId?: () => string | undefined;
}

/** How long a pass waits for the work it has started, ms. Longer work continues beside the next passes and delays no other work. */
const PATIENCE_MS = 250;

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
 * Releases attachments of lost nodes: caches -> view -> backend -> evaluation -> writes. Each backend is a scope of its own, and the
 * writes for each node run on their own. Work that outlasts the pass's patience ends by itself and then requests the next pass; it
 * is not started twice. A pass depends on no local state: what was done is recorded at the backend and in Kubernetes.
 * @see docs/adr/0010-work-outlasts-a-pass.md
 */
export class ReleasePass implements ReconcilePass {
  readonly #options: ReleasePassOptions;
  /** What passes remember, for previews that change nothing. */
  readonly history: PassHistory;
  readonly #worker: ScopeWorker;
  readonly #viewReader = new ViewReader();
  /** @see PassReport.viewDifference */
  #viewDifference: string | undefined;
  /** One key for each backend, and one for nodes as a whole. */
  readonly #scopes = new WorkQueue<ScopeResult>(() => this.#onWorkEnded());
  /** Fences and releases of nodes. */
  readonly #nodeWork: NodeWork = new WorkInFlight(MAX_NODES_AT_ONCE, () => this.#onWorkEnded());
  /** Requests the next pass; absent while a pass runs, because that one takes the results itself. */
  #wake: (() => void) | undefined;
  /** Work has ended whose result no pass has taken. */
  #hasEnded = false;
  /** When the last pass began, epoch ms. */
  #lastNowMs = Number.NEGATIVE_INFINITY;
  /** Effects of earlier writes that were confirmed only now. */
  readonly #confirmed: Effect[] = [];
  /** @see PassReport.healthyCount */
  #healthyCount = 0;

  /** @throws {TypeError} naming each collaborator that is missing. */
  constructor(options: ReleasePassOptions) {
    const missing = COLLABORATORS.filter((name) => !options?.[name]);
    if (missing.length > 0) throw new TypeError(`ReleasePass needs ${missing.join(' and ')}`);
    this.#options = options;
    this.history = new PassHistory(options.policy);
    this.#worker = new ScopeWorker(options, this.history, this.#nodeWork);
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

  /** Resolves once nothing that passes have started is in flight. */
  async settled(): Promise<void> {
    await this.#scopes.settled(); // these start work for nodes
    await this.#nodeWork.settled();
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
    // A deadline concerns only the scopes that wait for it; any other reason, or a clock that was set back, may concern every backend.
    const isForAll = nowMs < this.#lastNowMs || [...context.reasons].some((reason) => reason !== 'deadline');
    this.#lastNowMs = nowMs;
    this.#scopes.collect(nowMs);
    const isDue = (key: string) => isForAll || this.#scopes.isDue(key, nowMs);
    const before = { scopes: this.#scopes.inFlight, nodes: this.#nodeWork.inFlight };
    const patience = Promise.withResolvers<void>();
    using _patience = clock.after(PATIENCE_MS, patience.resolve);
    const started = new Set<string>();
    if ([undefined, ...fleet.backends].some((backend) => isDue(scopeKey(backend)))) {
      const view = this.#readView(nowMs, context.reasons.has('periodic'));
      const backends = fleet.backends.filter(
        (backend) => isDue(scopeKey(backend)) || this.#isUndecidedAt(backend, view),
      );
      const start = (backend: StorageBackend | undefined) => {
        const key = scopeKey(backend);
        const deferred = this.#scopes.latest.get(key)?.deferred;
        if (this.#scopes.start(key, () => this.#worker.run(backend, view, nowMs, deferred, signal)))
          started.add(key);
      };
      backends.forEach(start);
      await Promise.race([this.#scopes.ended(before.scopes), patience.promise]);
      if (!signal.aborted) start(undefined); // nodes as a whole depend on what the backends have just said
    }
    await Promise.race([this.#endOf(before), patience.promise]);
    if (signal.aborted) {
      await this.settled();
      throw signal.reason;
    }
    return this.#conclude(context, started, signal);
  }

  async #endOf(except: {
    readonly scopes: ReadonlySet<string>;
    readonly nodes: ReadonlySet<string>;
  }): Promise<void> {
    await this.#scopes.ended(except.scopes); // these start work for nodes
    await this.#nodeWork.ended(except.nodes);
  }

  /** A lost node holds an attachment at the backend that no decision exists about: its PersistentVolume may have come late. */
  #isUndecidedAt(backend: StorageBackend, view: UnreadView): boolean {
    const key = scopeKey(backend);
    if (this.#scopes.inFlight.has(key)) return false; // it runs again when it has ended
    const decided = new Set(this.#scopes.latest.get(key)?.decisions.map(({ attachment }) => attachment.uid));
    const lost = lostIn(view);
    return lost.some((each) => each.backend?.name === backend.name && !decided.has(each.attachment.uid));
  }

  #beginTerm(): void {
    this.#scopes.reset();
    this.#nodeWork.take();
    this.history.beginTerm(this.#options.fleet.backends.filter(({ lastReading }) => lastReading));
  }

  /** @param isAudit read everything, also what no revision says has changed */
  #readView(nowMs: number, isAudit: boolean): UnreadView {
    const { cluster, manager, policy } = this.#options;
    // A release that has begun decides, beside the caches, which nodes count as lost.
    const revisions = this.history.progress.hasBegun ? undefined : cluster.revisions?.();
    const volumesRevision =
      revisions && !isAudit ? `${revisions.volumeAttachments} ${revisions.persistentVolumes}` : undefined;
    const nameToVolume = (name: string) => cluster.persistentVolume(name);
    manager.rebuild(cluster.volumeAttachments(), nameToVolume, policy.attacher, nowMs, volumesRevision);
    const sources = {
      ...this.#options,
      clusterId: this.#options.clusterId?.(),
      absence: this.history.absences,
      returnedNode: (name: string) => this.history.progress.returnedNode(name),
    };
    const { view, difference } = this.#viewReader.read(sources, revisions, nowMs, isAudit);
    this.#viewDifference = difference;
    this.#confirmed.push(...this.history.recordView(view, () => cluster.volumeAttachments(), nowMs));
    this.#healthyCount = view.healthyCount ?? 0;
    return view;
  }

  /**
   * Reports what has ended since the last report. Where a scope is still in flight, its earlier decisions are reported.
   * @param started the scopes that this pass started
   */
  #conclude(
    { nowMs, reconcileId }: PassContext,
    started: ReadonlySet<string>,
    signal: AbortSignal,
  ): PassResult {
    const { observer, fleet } = this.#options;
    this.#hasEnded = false;
    this.#scopes.collect(nowMs);
    const scopes = this.#scopes.take();
    const nodes = this.#nodeWork.take();
    const isLate = scopes.results.some(({ key }) => key !== NODES_KEY && !started.has(key));
    if (isLate) this.#scopes.addAfter(NODES_KEY, 0, nowMs); // nodes as a whole were evaluated without it
    const effects = [
      ...this.#confirmed.splice(0),
      ...nodes.results.flat(),
      ...scopes.results.flatMap((result) => result.effects),
    ];
    for (const effect of effects) this.#onEffect(effect, nowMs);
    const latest = [...this.#scopes.latest.values()];
    if (nodes.results.length > 0) {
      for (const { key, isAllStarted } of latest) if (!isAllStarted) this.#scopes.addAfter(key, 0, nowMs);
    }
    if (scopes.results.length + effects.length > 0) {
      const report = {
        nowMs,
        reconcileId,
        decisions: latest.flatMap(({ decisions }) => decisions),
        healthyCount: this.#healthyCount,
        cleanups: latest.flatMap(({ cleanups }) => cleanups),
        effects,
        viewDifference: this.#viewDifference,
        fences: fencesIn({ storage: lastReadings(fleet) }),
      };
      this.#viewDifference = undefined;
      observer.passed(report, signal);
    }
    const [failure] = [...scopes.failures, ...nodes.failures];
    if (failure !== undefined) throw failure;
    const { nextDeadlineMs } = this.#scopes;
    return Number.isFinite(nextDeadlineMs) ? { nextDeadlineMs } : {};
  }

  /** Records which fences exist now, and has their backend read again. */
  #onEffect(effect: Effect, nowMs: number): void {
    this.history.recordEffect(effect);
    const backendName = changedBackend(effect);
    if (backendName === undefined) return;
    // A fence is read back at once; after a failure, when fences are polled next.
    const hasFailed = effect.kind === 'failed' || effect.kind === 'restore-failed';
    const delayMs = hasFailed ? this.#options.policy.fence.pollMs : 0;
    this.#scopes.addAfter(scopeKey({ name: backendName }), delayMs, nowMs);
  }
}
