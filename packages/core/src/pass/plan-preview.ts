import {
  type Cleanup,
  decideFencedTaintRemovals,
  decideUnfences,
  decideUntaints,
} from '../decide/cleanups.ts';
import { type Decision, decide } from '../decide/decide.ts';
import type { Policy } from '../model/policy.ts';
import type { StorageQuery } from '../model/storage-query.ts';
import type { StorageReading } from '../model/storage-reading.ts';
import type { Clock } from '../ports/clock.ts';
import type { ClusterReader, StorageFleet } from '../ports/ports.ts';
import type { StorageBackend } from '../ports/storage-backend.ts';
import { AttachmentManager } from '../tracking/attachment-manager.ts';
import { type ClusterView, readClusterView, type UnreadView } from '../view/cluster-view.ts';
import { countedLosses, LossHistory } from '../view/loss-history.ts';
import { NodeAbsence } from '../view/node-absence.ts';
import { lostIn, queryAbout, withAddresses, withFencedAddresses } from '../view/storage-query.ts';
import type { PassHistory } from './pass-history.ts';

/** What the facts at hand say, and what a pass would make of them. */
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
  /** What passes of this process remember; `undefined` while none run. Default: none ever do. */
  readonly memory?: () => PassHistory | undefined;
}

type Part = UnreadView & Pick<ClusterView, 'recentLosses'>;

/**
 * Looks at caches and last readings and decides as a pass would, for people: asks no backend, writes nothing, and passes never
 * notice. Where no passes run (a standby, a command line) it knows of a Node that is gone since it first saw so itself, and of
 * what a backend says about lost nodes only what it is given.
 */
export class PlanPreview {
  readonly #options: PlanPreviewOptions;
  /** Of its own: those of the pass decide about writes. */
  readonly #manager: AttachmentManager;
  readonly #absence = new NodeAbsence();
  readonly #noLosses = new LossHistory(1);

  constructor(options: PlanPreviewOptions) {
    this.#options = options;
    this.#manager = new AttachmentManager({ clock: options.clock });
  }

  /** A Node was deleted: without it, its absence would count from the next look. */
  recordGone(nodeName: string, nowMs: number): void {
    this.#absence.record(nodeName, nowMs);
  }

  /** What a pass would ask each backend now; a backend it would leave alone is missing. */
  queries(nowMs: number): ReadonlyMap<StorageBackend, StorageQuery> {
    const all = this.#read(nowMs);
    const { fleet, policy } = this.#options;
    return new Map(
      fleet.backends.flatMap((backend) => {
        const part = partOf(all, backend, backend.lastReading, this.#options.memory?.());
        const lost = lostIn(part, policy.attacher);
        return lost.length === 0 ? [] : [[backend, queryAbout(part, lost, policy.attacher)] as const];
      }),
    );
  }

  /** @param readings by name of the backend, in place of those that passes remember. */
  inspect(nowMs: number, readings: ReadonlyMap<string, StorageReading> = this.#lastReadings()): Preview {
    const { fleet, policy } = this.#options;
    const all = this.#read(nowMs);
    const decisions: Decision[] = [];
    const cleanups: Cleanup[] = [];
    for (const backend of [undefined, ...fleet.backends]) {
      const reading = backend && readings.get(backend.name);
      const part = partOf(all, backend, reading, this.#options.memory?.());
      // Of a backend that a pass would not ask, a pass knows nothing.
      const isAsked = lostIn(part, policy.attacher).length > 0 || (reading?.fences ?? []).length > 0;
      const view = {
        ...part,
        storage: new Map(backend && reading && isAsked ? [[backend.name, reading]] : []),
      };
      decisions.push(...decide(view, policy, nowMs).decisions);
      if (!backend) continue;
      const elsewhere = [...readings].flatMap(([name, { fences = [] }]) =>
        name === backend.name ? [] : fences,
      );
      cleanups.push(...decideUnfences(view, policy, nowMs, elsewhere));
    }
    const view = { ...all, storage: readings };
    cleanups.push(...decideUntaints(view, policy, nowMs));
    if (readings.size === fleet.backends.length)
      cleanups.push(...decideFencedTaintRemovals(view, policy, nowMs));
    return { nowMs, view, decisions, cleanups };
  }

  #read(nowMs: number): Part {
    const { cluster, policy } = this.#options;
    const memory = this.#options.memory?.();
    const nameToVolume = (name: string) => cluster.persistentVolume(name);
    this.#manager.rebuild(cluster.volumeAttachments(), nameToVolume, policy.attacher, nowMs);
    const own = this.#absence;
    const absence = {
      record: (name: string, now: number) => memory?.absentSinceMs(name) ?? own.record(name, now),
      forget: (name: string) => own.forget(name),
      retainOnly: (names: ReadonlySet<string>) => own.retainOnly(names),
    };
    const view = readClusterView(
      { ...this.#options, clusterId: this.#options.clusterId?.(), manager: this.#manager, absence },
      nowMs,
    );
    const isCurrent = view.cache.synced && nowMs - view.cache.freshAsOfMs <= policy.maxCacheAgeMs;
    const nodes = isCurrent ? countedLosses(view, policy.attacher) : new Map();
    return { ...view, recentLosses: memory?.recentLosses(nodes) ?? this.#noLosses.with(nodes) };
  }

  #lastReadings(): ReadonlyMap<string, StorageReading> {
    const memory = this.#options.memory?.();
    return new Map(
      this.#options.fleet.backends.flatMap(({ name, lastReading }) => {
        const reading = newest(memory?.lastReading(name), lastReading);
        return reading ? [[name, reading]] : [];
      }),
    );
  }
}

/** The attachments whose backend it is; `undefined`: those whose backend is not known. */
function partOf(
  all: Part,
  backend: StorageBackend | undefined,
  reading: StorageReading | undefined,
  memory: PassHistory | undefined,
): Part {
  const storageNodes = new Map(withFencedAddresses(all.storageNodes, reading));
  for (const node of storageNodes.values()) {
    if (node.addressesFrom !== 'pods' || !backend || !memory) continue;
    storageNodes.set(node.name, withAddresses(node, memory.storageAddresses(backend.name, node.name)));
  }
  return {
    ...all,
    attachments: all.attachments.filter((view) => view.backend?.name === backend?.name),
    storageNodes,
  };
}

/** A backend that nobody asked about a node, since it read itself only, is no reason to forget what it said about it before. */
function newest(
  asked: StorageReading | undefined,
  last: StorageReading | undefined,
): StorageReading | undefined {
  if (!asked || !last || last.observedAtMs <= asked.observedAtMs) return asked ?? last;
  const { evidence, fenceStates, volumes } = asked;
  return { ...last, evidence, fenceStates, ...(volumes && { volumes }) };
}
