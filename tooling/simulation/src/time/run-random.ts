import { SeededRandom } from '@reattach/core/testing';

/** The random numbers of a run, which can be split by purpose. */
export class RunRandom extends SeededRandom {
  readonly #seed: number;

  constructor(seed: number) {
    super(seed);
    this.#seed = seed;
  }

  /** One of the names, each with its weight. */
  weighted<T extends string>(weights: Readonly<Record<T, number>>): T {
    const entries = Object.entries(weights) as [T, number][];
    let left = this.next() * entries.reduce((sum, [, weight]) => sum + weight, 0);
    for (const [name, weight] of entries) {
      left -= weight;
      if (left < 0) return name;
    }
    return this.pick(entries)[0];
  }

  /** A stream of its own for one purpose, so that a change in one part of a run leaves the numbers of the others as they are. */
  fork(purpose: string): RunRandom {
    let hash = this.#seed ^ 0x81_1c_9d_c5;
    for (const char of purpose) hash = Math.imul(hash ^ (char.codePointAt(0) ?? 0), 0x01_00_01_93);
    return new RunRandom(hash);
  }
}
