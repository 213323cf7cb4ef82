import type { Clock } from '@reattach/core';

/** A write that must not have been carried out. */
export interface WriteViolation {
  readonly slot: string;
  readonly atMs: number;
  /** The host that wrote. */
  readonly host: string;
  readonly generation: number;
  /** The newer writer. */
  readonly newerHost: string;
  readonly newerGeneration: number;
  /** Whether the newer writer had written before. If not, it is about to use data that changes under it. */
  readonly hadNewerWritten: boolean;
  /** Whether the block held data of the newer writer, which is lost. */
  readonly isOverwrite: boolean;
}

/** A write as the disk carries it out. */
export interface LandedWrite {
  readonly slot: string;
  readonly host: string;
  readonly generation: number;
  readonly block: number;
}

interface Generation {
  readonly host: string;
  readonly number: number;
  hasWritten: boolean;
}

interface VolumeHistory {
  /** Begun so far, oldest first. */
  readonly generations: Generation[];
  /** The generation whose data each block holds. */
  readonly blocks: Map<number, Generation>;
  readonly writesByHost: Map<string, number>;
  isShared: boolean;
}

/**
 * Sees every write that a disk carries out and knows which of them must not have been.
 *
 * Each mount of a volume begins a writer generation. A write is a violation when another host began a newer generation
 * before it, whether that host has written already or not. A hand-over and a hand-over back, each with a mount of its own,
 * does not count. Volumes that several hosts may write at once are not judged.
 */
export class Oracle {
  readonly #clock: Clock;
  readonly #volumes = new Map<string, VolumeHistory>();
  readonly #violations: WriteViolation[] = [];

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Writes of a volume by host. */
  writes(slot: string): Readonly<Record<string, number>> {
    return Object.fromEntries(this.#volumes.get(slot)?.writesByHost ?? []);
  }

  /** Writes of all volumes and hosts. */
  get totalWrites(): number {
    let total = 0;
    for (const { writesByHost } of this.#volumes.values())
      for (const count of writesByHost.values()) total += count;
    return total;
  }

  /** Writes of a host that was no longer the writer. Above 0, a file system may be corrupt. */
  get doubleWrites(): number {
    return this.#violations.length;
  }

  /** Double writes that replaced data of the new writer. */
  get overwrites(): number {
    return this.#violations.filter(({ isOverwrite }) => isOverwrite).length;
  }

  get violations(): readonly WriteViolation[] {
    return this.#violations;
  }

  /** Several hosts may write the volume at once: nothing that happens to it is a violation. */
  share(slot: string): void {
    this.#history(slot).isShared = true;
  }

  /** A mount: the number of the generation that begins with it, from 1. */
  beginGeneration(slot: string, host: string): number {
    const { generations } = this.#history(slot);
    generations.push({ host, number: generations.length + 1, hasWritten: false });
    return generations.length;
  }

  /** The disk carried out a write. @throws {RangeError} when the generation never began. */
  landed({ slot, host, generation, block }: LandedWrite): void {
    const history = this.#history(slot);
    const { generations, blocks, writesByHost } = history;
    const writer = generations[generation - 1];
    if (!writer) throw new RangeError(`volume ${slot} has no writer generation ${generation}`);
    writesByHost.set(host, (writesByHost.get(host) ?? 0) + 1);
    const newest = generations.at(-1) ?? writer;
    if (newest.host !== host && !history.isShared) {
      const replaced = blocks.get(block);
      this.#violations.push({
        slot,
        atMs: this.#clock.now(),
        host,
        generation,
        newerHost: newest.host,
        newerGeneration: newest.number,
        hadNewerWritten: newest.hasWritten,
        isOverwrite: replaced !== undefined && replaced.number > generation && replaced.host !== host,
      });
    }
    writer.hasWritten = true;
    blocks.set(block, writer);
  }

  #history(slot: string): VolumeHistory {
    let history = this.#volumes.get(slot);
    if (!history) {
      history = { generations: [], blocks: new Map(), writesByHost: new Map(), isShared: false };
      this.#volumes.set(slot, history);
    }
    return history;
  }
}
