import type { BlockTag } from './block-pattern.ts';

/** A block that an earlier writer changed although a later one had the volume. */
export interface Overwrite {
  readonly block: number;
  readonly by: BlockTag;
  /** Generation that had the volume. */
  readonly generation: number;
}

/**
 * Judges samples of one volume. From the moment a generation is mounted, no block may change to an earlier one: such a
 * write comes from a host that had lost the volume. Samples may miss a block that is rewritten in between, so writers
 * leave half of the blocks alone most of the time.
 */
export class OverwriteOracle {
  readonly #overwrites: Overwrite[] = [];
  #generation = 0;
  #last: readonly (BlockTag | undefined)[] = [];

  /** The generation that has the volume; 0 before the first mount. */
  get generation(): number {
    return this.#generation;
  }

  get overwrites(): readonly Overwrite[] {
    return this.#overwrites;
  }

  /** The newest tag of this generation in the last sample. */
  newest(generation: number): BlockTag | undefined {
    return this.#last
      .filter((tag) => tag?.generation === generation)
      .reduce((newest, tag) => (tag && tag.round >= (newest?.round ?? -1) ? tag : newest), undefined);
  }

  /** Call before anything of the new generation is written. @returns its number */
  mount(): number {
    this.#generation += 1;
    return this.#generation;
  }

  /** @returns the overwrites that this sample shows for the first time */
  sample(tags: readonly (BlockTag | undefined)[]): readonly Overwrite[] {
    const generation = this.#generation;
    const found = tags.flatMap((by, block): Overwrite[] => {
      const last = this.#last[block];
      const isSame = by?.generation === last?.generation && by?.round === last?.round;
      return by && !isSame && by.generation < generation ? [{ block, by, generation }] : [];
    });
    this.#last = tags;
    this.#overwrites.push(...found);
    return found;
  }
}
