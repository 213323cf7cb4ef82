import type { Clock } from '@reattach/core';

/** A write that must not have been carried out. */
export interface WriteViolation {
  readonly slot: string;
  readonly atMs: number;
  /** Who wrote. */
  readonly host: string;
  readonly generation: number;
  /** The newer writer that had written before. */
  readonly newerHost: string;
  readonly newerGeneration: number;
}

interface VolumeHistory {
  generations: number;
  /** The newest generation that has written. */
  newest: { readonly host: string; readonly generation: number } | undefined;
  readonly writesByHost: Map<string, number>;
}

/**
 * Sees every write the device carries out and knows which were one too many.
 *
 * Each mount of a volume is a writer generation. A write is a double write when a newer generation, by another host, has
 * written before it. A hand-over and a hand-over back, each with a mount of its own, is none.
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

  /** 0, or data was corrupted. */
  get doubleWrites(): number {
    return this.#violations.length;
  }

  get violations(): readonly WriteViolation[] {
    return this.#violations;
  }

  /** A mount: the number of the generation that begins with it. */
  beginGeneration(slot: string): number {
    const history = this.#history(slot);
    history.generations += 1;
    return history.generations;
  }

  /** The device carried out a write. */
  landed(slot: string, host: string, generation: number): void {
    const history = this.#history(slot);
    history.writesByHost.set(host, (history.writesByHost.get(host) ?? 0) + 1);
    const { newest } = history;
    if (newest && generation < newest.generation) {
      if (newest.host === host) return;
      this.#violations.push({
        slot,
        atMs: this.#clock.now(),
        host,
        generation,
        newerHost: newest.host,
        newerGeneration: newest.generation,
      });
      return;
    }
    history.newest = { host, generation };
  }

  #history(slot: string): VolumeHistory {
    const known = this.#volumes.get(slot);
    if (known) return known;
    const history: VolumeHistory = { generations: 0, newest: undefined, writesByHost: new Map() };
    this.#volumes.set(slot, history);
    return history;
  }
}
