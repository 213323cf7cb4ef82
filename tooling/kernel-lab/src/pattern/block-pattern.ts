/** Size of one block of the pattern, and how many of them a volume has. `guest/write-pattern` writes the same. */
export const BLOCK_BYTES = 4096;
export const BLOCKS = 1024;

/** What a block says about the write that it comes from. */
export interface BlockTag {
  /** Number of the attachment, which rises with every mount of the volume. */
  readonly generation: number;
  readonly round: number;
  readonly writer: string;
}

const TAG = /^REATTACH gen=(\d+) round=(\d+) writer=(\S+) +\n$/;

/**
 * Reads the tags of a volume's blocks; `undefined` for a block that was never written.
 * @throws {TypeError} for a block with anything else in it, which no writer of the lab wrote
 */
export function readTags(volume: Buffer): readonly (BlockTag | undefined)[] {
  return Array.from({ length: Math.floor(volume.length / BLOCK_BYTES) }, (_, index) => {
    const block = volume.subarray(index * BLOCK_BYTES, (index + 1) * BLOCK_BYTES);
    if (block[0] === 0 && block[BLOCK_BYTES - 1] === 0) return undefined;
    const text = block.toString('latin1');
    const [, generation, round, writer = ''] = TAG.exec(text) ?? [];
    if (generation === undefined) {
      throw new TypeError(
        `Block ${index} begins with ${JSON.stringify(text.slice(0, 60))}, expected a tag of the lab`,
      );
    }
    return { generation: Number(generation), round: Number(round), writer };
  });
}
