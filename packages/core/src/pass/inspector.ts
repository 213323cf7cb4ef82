import { type Decision, decide } from '../decide/decide.ts';
import { decideUnfences, decideUnmarks, decideUntaints, type Recovery } from '../decide/recover.ts';
import type { StorageReading } from '../model/facts.ts';
import type { Policy } from '../model/policy.ts';
import type { Clock } from '../ports/clock.ts';
import type { ClusterReader, StorageBox, StorageFleet, StorageQuestion } from '../ports/ports.ts';
import { AttachmentManager } from '../tracking/attachment-manager.ts';
import { type ClusterView, readClusterView, type UnreadView } from '../view/cluster-view.ts';
import { LossHistory } from '../view/loss-history.ts';
import { NodeAbsence } from '../view/node-absence.ts';
import { lostIn, questionAbout, withAddresses, withFencedAddresses } from '../view/storage-question.ts';
import type { PassMemory } from './pass-memory.ts';

/** What the facts at hand say, and what a pass would make of them. */
export interface Inspection {
  readonly nowMs: number;
  readonly view: ClusterView;
  readonly decisions: readonly Decision[];
  readonly recoveries: readonly Recovery[];
}

export interface InspectorOptions {
  readonly cluster: ClusterReader;
  readonly fleet: StorageFleet;
  readonly policy: Policy;
  readonly clock: Clock;
  /** What passes of this process remember; `undefined` while none run. Default: none ever do. */
  readonly memory?: () => PassMemory | undefined;
}

type Part = UnreadView & Pick<ClusterView, 'recentLosses'>;

/**
 * Looks at caches and last readings and decides as a pass would, for people: asks no box, writes nothing, and passes never
 * notice. Where no passes run (a standby, a command line) it knows of a Node that is gone since it first saw so itself, and of
 * what a box says about lost nodes only what it is given.
 */
export class Inspector {
  readonly #options: InspectorOptions;
  /** Of its own: those of the pass decide about writes. */
  readonly #manager: AttachmentManager;
  readonly #absence = new NodeAbsence();
  readonly #noLosses = new LossHistory(1);

  constructor(options: InspectorOptions) {
    this.#options = options;
    this.#manager = new AttachmentManager({ clock: options.clock });
  }

  /** A Node was deleted: without it, its absence would count from the next look. */
  noteGone(nodeName: string, nowMs: number): void {
    this.#absence.note(nodeName, nowMs);
  }

  /** What a pass would ask each box now; a box it would leave alone is missing. */
  questions(nowMs: number): ReadonlyMap<StorageBox, StorageQuestion> {
    const all = this.#read(nowMs);
    const { fleet, policy } = this.#options;
    return new Map(
      fleet.boxes.flatMap((box) => {
        const part = partOf(all, box, box.lastReading, this.#options.memory?.());
        const lost = lostIn(part, policy.attacher);
        return lost.length === 0 ? [] : [[box, questionAbout(part, lost)] as const];
      }),
    );
  }

  /** @param readings by name of the box, in place of those that passes remember. */
  inspect(nowMs: number, readings: ReadonlyMap<string, StorageReading> = this.#lastReadings()): Inspection {
    const { fleet, policy } = this.#options;
    const all = this.#read(nowMs);
    const decisions: Decision[] = [];
    const recoveries: Recovery[] = [];
    for (const box of [undefined, ...fleet.boxes]) {
      const reading = box && readings.get(box.name);
      const part = partOf(all, box, reading, this.#options.memory?.());
      // Of a box that a pass would not ask, a pass knows nothing.
      const isAsked = lostIn(part, policy.attacher).length > 0 || (reading?.fences ?? []).length > 0;
      const view = { ...part, storage: new Map(box && reading && isAsked ? [[box.name, reading]] : []) };
      decisions.push(...decide(view, policy, nowMs).decisions);
      if (box) recoveries.push(...decideUnfences(view, policy, nowMs));
    }
    const view = { ...all, storage: readings };
    recoveries.push(...decideUntaints(view, policy, nowMs));
    if (readings.size === fleet.boxes.length) recoveries.push(...decideUnmarks(view, policy, nowMs));
    return { nowMs, view, decisions, recoveries };
  }

  #read(nowMs: number): Part {
    const { cluster, fleet, policy } = this.#options;
    const memory = this.#options.memory?.();
    const nameToVolume = (name: string) => cluster.persistentVolume(name);
    this.#manager.rebuild(cluster.volumeAttachments(), nameToVolume, policy.attacher, nowMs);
    const own = this.#absence;
    const absence = {
      note: (name: string, now: number) => memory?.absentSinceMs(name) ?? own.note(name, now),
      forget: (name: string) => own.forget(name),
      retainOnly: (names: ReadonlySet<string>) => own.retainOnly(names),
    };
    const view = readClusterView({ cluster, manager: this.#manager, absence, fleet, policy }, nowMs);
    const isCurrent = view.cache.synced && nowMs - view.cache.freshAsOfMs <= policy.maxCacheAgeMs;
    const nodes = isCurrent ? view.nodes : new Map();
    return { ...view, recentLosses: memory?.recentLosses(nodes) ?? this.#noLosses.with(nodes) };
  }

  #lastReadings(): ReadonlyMap<string, StorageReading> {
    const memory = this.#options.memory?.();
    return new Map(
      this.#options.fleet.boxes.flatMap(({ name, lastReading }) => {
        const reading = newest(memory?.lastReading(name), lastReading);
        return reading ? [[name, reading]] : [];
      }),
    );
  }
}

/** The attachments whose box it is; `undefined`: those whose box is not known. */
function partOf(
  all: Part,
  box: StorageBox | undefined,
  reading: StorageReading | undefined,
  memory: PassMemory | undefined,
): Part {
  const storageNodes = new Map(withFencedAddresses(all.storageNodes, reading));
  for (const node of storageNodes.values()) {
    if (node.addressesFrom !== 'pods' || !box || !memory) continue;
    storageNodes.set(node.name, withAddresses(node, memory.storageAddresses(box.name, node.name)));
  }
  return {
    ...all,
    attachments: all.attachments.filter((view) => view.box?.name === box?.name),
    storageNodes,
  };
}

/** A box that nobody asked about a node, since it read itself only, is no reason to forget what it said about it before. */
function newest(
  asked: StorageReading | undefined,
  last: StorageReading | undefined,
): StorageReading | undefined {
  if (!asked || !last || last.observedAtMs <= asked.observedAtMs) return asked ?? last;
  const { evidence, volumes } = asked;
  return { ...last, evidence, ...(volumes && { volumes }) };
}
