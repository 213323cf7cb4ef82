import { open } from 'node:fs/promises';
import { BLOCK_BYTES, BLOCKS, readTags } from '../pattern/block-pattern.ts';
import { OverwriteOracle } from '../pattern/overwrite-oracle.ts';

/** A disk of the target, its subsystem, and the judge of what is written to it. */
export class Volume {
  readonly name: string;
  readonly nqn: string;
  readonly imagePath: string;
  readonly oracle: OverwriteOracle = new OverwriteOracle();
  /** The first sample that could not be read, for instance a torn block. */
  problem: string | undefined;
  #buffer = Buffer.alloc(BLOCK_BYTES * BLOCKS);

  constructor(number: number, imagePath: string) {
    this.name = `vol${number}`;
    this.nqn = `nqn.2026-01.lab.reattach:vol${number}`;
    this.imagePath = imagePath;
  }

  /** Reads the pattern from the image that the target's virtual disk writes to. @returns blocks that a stale host overwrote */
  async sample(): Promise<number> {
    await using file = await open(this.imagePath);
    await file.read(this.#buffer, 0, this.#buffer.length, 0);
    try {
      return this.oracle.sample(readTags(this.#buffer)).length;
    } catch (err) {
      this.problem ??= err instanceof Error ? err.message : String(err);
      return 0;
    }
  }
}
