import type { Cleanup } from '../decide/cleanups.ts';
import type { Decision } from '../decide/decide.ts';
import { evaluate } from '../decide/evaluate.ts';
import { type Facts, factsAt, queryAt, type Readings } from '../decide/evaluation-facts.ts';
import { staleCacheReason } from '../model/cache-freshness.ts';
import type { Mode, Policy } from '../model/policy.ts';
import type { StorageQuery } from '../model/storage-query.ts';
import type { StorageReading } from '../model/storage-reading.ts';
import type { Clock } from '../ports/clock.ts';
import type { ClusterReader, StorageFleet } from '../ports/ports.ts';
import type { StorageBackend } from '../ports/storage-backend.ts';
import { AttachmentManager } from '../tracking/attachment-manager.ts';
import { type ClusterView, readClusterView } from '../view/cluster-view.ts';
import { lostIn } from '../view/storage-query.ts';
import { PassHistory } from './pass-history.ts';
import { lastReadings } from './scope-worker.ts';

/** The facts at hand, and what a pass would decide from them. */
export interface Preview {
  readonly nowMs: number;
  readonly view: ClusterView;
  readonly decisions: readonly Decision[];
  readonly cleanups: readonly Cleanup[];
}

export interface PlanPreviewOptions {
  readonly cluster: ClusterReader;
  readonly fleet: StorageFleet;
  readonly policy: Policy;
  readonly clock: Clock;
  /** @see ReleasePassOptions.clusterId */
  readonly clusterId?: () => string | undefined;
  /** What the passes of this process remember; `undefined` while none run. Default: none ever run. */
  readonly history?: () => PassHistory | undefined;
}

/** How one preview differs from what the next pass would see and do. */
export interface PreviewChoice {
  /** By name of the backend, in place of the readings that passes remember. */
  readonly readings?: ReadonlyMap<string, StorageReading>;
  /** Default: that of the policy. */
  readonly mode?: Mode;
}

/**
 * Evaluates caches and last readings as a pass does, for people. Asks no backend, writes nothing, and does not affect passes. Where
 * no passes run (a standby, a command line), a Node counts as gone since the first preview that misses it, and only the readings
 * that are given say anything about lost nodes.
 */
export class PlanPreview {
  readonly #options: PlanPreviewOptions;
  /** Its own, because those of the pass decide about writes. */
  readonly #manager: AttachmentManager;
  readonly #ownHistory: PassHistory;

  constructor(options: PlanPreviewOptions) {
    this.#options = options;
    this.#manager = new AttachmentManager({ clock: options.clock });
    this.#ownHistory = new PassHistory(options.policy);
  }

  /** Records that a Node was deleted. Otherwise its absence counts from the next preview. */
  recordGone(nodeName: string, nowMs: number): void {
    this.#ownHistory.absences.record(nodeName, nowMs);
  }

  /** What a pass would ask each backend now. A backend that holds no volume of a lost node is missing. */
  queries(nowMs: number): ReadonlyMap<StorageBackend, StorageQuery> {
    const facts = this.#readFacts(nowMs);
    const { fleet, policy } = this.#options;
    return new Map(
      fleet.backends.flatMap((backend) => {
        const at = factsAt(facts, backend.name, backend.lastReading);
        return lostIn(at).length === 0 ? [] : [[backend, queryAt(at, policy)] as const];
      }),
    );
  }

  inspect(nowMs: number, { readings, mode }: PreviewChoice = {}): Preview {
    const policy = mode ? { ...this.#options.policy, mode } : this.#options.policy;
    const facts = this.#readFacts(nowMs);
    const said = readings ? { answers: readings, latest: readings } : this.#lastReadings();
    const { decisions, cleanups } = evaluate(facts, said, policy, nowMs);
    return { nowMs, view: { ...facts, storage: said.answers }, decisions, cleanups };
  }

  #readFacts(nowMs: number): Facts {
    const { cluster, policy, fleet } = this.#options;
    const history = this.#options.history?.();
    const own = this.#ownHistory;
    const nameToVolume = (name: string) => cluster.persistentVolume(name);
    this.#manager.rebuild(cluster.volumeAttachments(), nameToVolume, policy.attacher, nowMs);
    const absence = {
      sinceMs: (name: string) => history?.absences.sinceMs(name) ?? own.absences.sinceMs(name),
    };
    const sources = {
      ...this.#options,
      clusterId: this.#options.clusterId?.(),
      manager: this.#manager,
      absence,
      returnedNode: (name: string) => history?.progress.returnedNode(name),
    };
    const view = readClusterView(sources, nowMs);
    const isCurrent = staleCacheReason(view.cache, policy.maxCacheAgeMs, nowMs) === undefined;
    own.absences.recordView(view.nodes, isCurrent, nowMs);
    return (history ?? own).factsOf(view, fleet.backends, nowMs);
  }

  #lastReadings(): Readings {
    const latest = lastReadings(this.#options.fleet);
    const asked = this.#options.history?.()?.answers;
    const answers = this.#options.fleet.backends.flatMap(({ name }): [string, StorageReading][] => {
      const reading = newest(asked?.get(name), latest.get(name));
      return reading ? [[name, reading]] : [];
    });
    return { answers: new Map(answers), latest };
  }
}

/** The latest reading, with the last answer about lost nodes: a backend that reads itself while idle is not asked about any. */
function newest(
  asked: StorageReading | undefined,
  last: StorageReading | undefined,
): StorageReading | undefined {
  if (!asked || !last || last.observedAtMs <= asked.observedAtMs) return asked ?? last;
  const { evidence, fenceStates, volumes } = asked;
  return { ...last, evidence, fenceStates, volumes };
}
