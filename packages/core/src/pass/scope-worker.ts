import type { Cleanup } from '../decide/cleanups.ts';
import type { Decision } from '../decide/decide.ts';
import { evaluate, type Scope } from '../decide/evaluate.ts';
import { type Facts, factsAt, isQueried, mayHoldFence, queryAt } from '../decide/evaluation-facts.ts';
import type { Effect } from '../execute/effect.ts';
import { execute, type Started } from '../execute/execute.ts';
import { mapBounded } from '../execute/map-bounded.ts';
import { type ExecutePorts, MAX_WRITES_AT_ONCE, type NodeWork } from '../execute/node-plan.ts';
import { restoreFences } from '../execute/restore-fences.ts';
import { runCleanups } from '../execute/run-cleanups.ts';
import type { Policy } from '../model/policy.ts';
import { ipAddresses } from '../model/storage-address.ts';
import type { StorageReading } from '../model/storage-reading.ts';
import type { Clock } from '../ports/clock.ts';
import type { FenceRecords } from '../ports/fence-records.ts';
import type {
  ClusterActions,
  ClusterReader,
  Leadership,
  LostNodeRecords,
  StorageFleet,
} from '../ports/ports.ts';
import type { StorageBackend } from '../ports/storage-backend.ts';
import { observeInSpan } from '../telemetry/observe-span.ts';
import type { UnreadView } from '../view/cluster-view.ts';
import { traceDecisions } from './decision-spans.ts';
import type { PassHistory } from './pass-history.ts';
import type { WorkResult } from './work-queue.ts';

/** The outcome of one run of a scope. */
export interface ScopeResult extends WorkResult, Started {
  readonly decisions: readonly Decision[];
  readonly cleanups: readonly Cleanup[];
  /** Fences and taints that were removed or put back. The writes for nodes end later. */
  readonly effects: readonly Effect[];
}

/** What the work of a scope needs. */
export interface ScopePorts {
  readonly cluster: ClusterReader;
  readonly fleet: StorageFleet;
  readonly actions: ClusterActions;
  readonly leadership: Leadership;
  readonly records?: LostNodeRecords;
  /** Absent: which fences have to be in force is known only to the process that made or read them. */
  readonly fenceRecords?: FenceRecords;
  readonly clock: Clock;
  readonly policy: Policy;
  readonly newFenceId: () => string;
}

/** Key of nodes as a whole, and of attachments whose backend is not known. */
export const NODES_KEY = 'nodes';

/** Key of a scope in the work queue. */
export function scopeKey(backend: Pick<StorageBackend, 'name'> | undefined): string {
  return backend ? `backend ${backend.name}` : NODES_KEY;
}

/** Reads one backend, evaluates its scope, starts the writes for its lost nodes and runs its cleanups. */
export class ScopeWorker {
  readonly #ports: ScopePorts;
  readonly #history: PassHistory;
  readonly #nodeWork: NodeWork;

  constructor(ports: ScopePorts, history: PassHistory, nodeWork: NodeWork) {
    this.#ports = ports;
    this.#history = history;
    this.#nodeWork = nodeWork;
  }

  /**
   * @param backend `undefined`: nodes as a whole
   * @param nowMs when the view was read, epoch ms
   * @param deferred keys for which the last run had no room
   */
  async run(
    backend: StorageBackend | undefined,
    view: UnreadView,
    nowMs: number,
    deferred: ReadonlySet<string> | undefined,
    signal: AbortSignal,
  ): Promise<ScopeResult> {
    const { policy, fleet, clock } = this.#ports;
    if (backend) await this.#loadFenceRecords(backend.name, view.clusterId, signal);
    const at = backend && (await this.#factsAt(backend, view, nowMs, signal));
    const answer = backend && at && (await this.#read(backend, at, signal));
    const facts = this.#history.factsOf(view, fleet.backends, nowMs);
    const readings = {
      answers: new Map(backend && answer ? [[backend.name, answer]] : []),
      latest: lastReadings(fleet),
    };
    const scope: Scope = backend ? { backendName: backend.name } : 'nodes';
    const decidedAtMs = clock.now(); // ages count up to here: the reading may have taken long
    const { decisions, cleanups, nextDeadlineMs } = evaluate(facts, readings, policy, decidedAtMs, [scope]);
    traceDecisions(decisions);
    this.#history.verdicts.record(decisions);
    const ports: ExecutePorts = {
      ...this.#ports,
      clusterId: view.clusterId,
      deferred,
      requests: this.#history.detachRequests,
      deletedPods: this.#history.deletedPods,
      progress: this.#history.progress,
      attachments: view.attachments,
      verdicts: this.#history.verdicts,
      inFlight: this.#nodeWork,
      storageNodes: (at ?? view).storageNodes,
      fences: answer?.fences ?? [],
    };
    const started = execute(decisions, decidedAtMs, ports, signal);
    const restored = backend ? await this.#restore(backend, answer, view.clusterId, signal) : [];
    const effects = [...restored, ...(await runCleanups(cleanups, { ...ports, fleet }, signal))];
    const isPolled = backend && this.#mayHaveFence(backend, answer, view, nowMs);
    return {
      key: scopeKey(backend),
      decisions,
      cleanups,
      effects,
      nextDeadlineMs: Math.min(
        nextDeadlineMs ?? Number.POSITIVE_INFINITY,
        isPolled ? nowMs + policy.fence.pollMs : Number.POSITIVE_INFINITY,
      ),
      ...started,
    };
  }

  /** The facts for the query. Reads the records of an earlier process about nodes that no cache knows. */
  async #factsAt(
    backend: StorageBackend,
    view: UnreadView,
    nowMs: number,
    signal: AbortSignal,
  ): Promise<Facts> {
    await this.#readRecords(view, signal);
    return factsAt(
      this.#history.factsOf(view, this.#ports.fleet.backends, nowMs),
      backend.name,
      backend.lastReading,
    );
  }

  /** Asks the backend when it holds a volume of a lost node or may hold a fence of ours. No other backend is queried. */
  async #read(backend: StorageBackend, at: Facts, signal: AbortSignal): Promise<StorageReading | undefined> {
    const { policy } = this.#ports;
    const { unreadFences, answers } = this.#history;
    if (!isQueried(at, backend.name, backend.lastReading)) return undefined;
    const change = unreadFences.get(backend.name); // a change during the reading may not be in it
    const answer = await observeInSpan(backend, queryAt(at, policy), signal);
    answers.set(backend.name, answer);
    if (answer.fences && unreadFences.get(backend.name) === change) unreadFences.delete(backend.name);
    return answer;
  }

  /** A record counts when it was made for all attachments of ours that the node has now. */
  async #readRecords({ attachments, storageNodes }: UnreadView, signal: AbortSignal): Promise<void> {
    const { records } = this.#ports;
    const byNode = Map.groupBy(attachments, ({ attachment }) => attachment.nodeName);
    const unseen = [...storageNodes.values()].filter(
      ({ name, addressesFrom }) => addressesFrom === 'pods' && byNode.has(name),
    );
    if (!records || unseen.length === 0) return;
    const known = await records.read(signal);
    for (const { name } of unseen) {
      const record = known.get(name);
      const recorded = new Set(record?.attachmentUids);
      const isComplete = byNode.get(name)?.every(({ attachment }) => recorded.has(attachment.uid));
      if (record && isComplete) this.#history.recordedAddresses.set(name, ipAddresses(record.addresses));
      else this.#history.recordedAddresses.delete(name);
    }
  }

  /** Once in a term. A failure is repeated by the next pass, and nothing is fenced without a record meanwhile. */
  async #loadFenceRecords(
    backendName: string,
    clusterId: string | undefined,
    signal: AbortSignal,
  ): Promise<void> {
    const { fenceRecords, policy } = this.#ports;
    const { standingFences } = this.#history;
    if (!fenceRecords || policy.mode !== 'fence' || standingFences.isLoaded(backendName)) return;
    try {
      const records = await fenceRecords.read(signal);
      standingFences.load(backendName, records.get(backendName) ?? [], { owner: policy.attacher, clusterId });
    } catch {
      signal.throwIfAborted();
    }
  }

  /** Puts back fences of ours that the reading should show and does not. */
  async #restore(
    backend: StorageBackend,
    answer: StorageReading | undefined,
    clusterId: string | undefined,
    signal: AbortSignal,
  ): Promise<readonly Effect[]> {
    const { policy } = this.#ports;
    if (!answer?.fences || policy.mode !== 'fence') return [];
    const owner = { owner: policy.attacher, clusterId };
    const missing = this.#history.standingFences.read(backend.name, answer, owner);
    const effects = await restoreFences(missing, backend, this.#ports, signal);
    await this.#writeMissingRecords(backend.name, signal);
    return effects;
  }

  /** A failure is repeated by the next pass. */
  async #writeMissingRecords(backendName: string, signal: AbortSignal): Promise<void> {
    const { fenceRecords } = this.#ports;
    const { standingFences } = this.#history;
    if (!fenceRecords) return;
    await mapBounded(standingFences.unrecorded(backendName), MAX_WRITES_AT_ONCE, async (record) => {
      try {
        await fenceRecords.write(backendName, record, signal);
        standingFences.recorded(backendName, record.id);
      } catch {
        signal.throwIfAborted();
      }
    });
  }

  /** A backend that no reading exists of may hold a fence of an earlier process; it reads itself once it is connected. */
  #mayHaveFence(
    backend: StorageBackend,
    answer: StorageReading | undefined,
    view: UnreadView,
    nowMs: number,
  ): boolean {
    if (!backend.lastReading) return true;
    const facts = this.#history.factsOf(view, this.#ports.fleet.backends, nowMs);
    return mayHoldFence(facts, backend.name, answer);
  }
}

/** The last readings of the backends: only our own writes change which fences there are. */
export function lastReadings({ backends }: StorageFleet): ReadonlyMap<string, StorageReading> {
  return new Map(backends.flatMap(({ name, lastReading }) => (lastReading ? [[name, lastReading]] : [])));
}
