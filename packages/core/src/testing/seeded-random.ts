/** Pseudo-random numbers that are the same for the same seed (mulberry32). Not for secrets. */
export class SeededRandom {
  #state: number;

  /** @param seed any integer; its lower 32 bits count. */
  constructor(seed: number) {
    this.#state = seed | 0;
  }

  /** The next number, at least 0 and less than 1. */
  next(): number {
    this.#state = (this.#state + 0x6d_2b_79_f5) | 0;
    let mixed = Math.imul(this.#state ^ (this.#state >>> 15), 1 | this.#state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  }

  /** True with this probability, 0 to 1. */
  chance(probability: number): boolean {
    return this.next() < probability;
  }

  /** A whole number between both, inclusive. */
  integer(min: number, max: number): number {
    return min + Math.floor(this.next() * (max - min + 1));
  }

  /** @throws {TypeError} for an empty list. */
  pick<T>(items: readonly T[]): T {
    const item = items[this.integer(0, items.length - 1)];
    if (item === undefined) throw new TypeError('Expected something to pick from, got an empty list');
    return item;
  }
}
