import { describe, expect, it } from 'vitest';
import { BLOCK_BYTES, type BlockTag, readTags } from './block-pattern.ts';
import { OverwriteOracle } from './overwrite-oracle.ts';

const tag = (generation: number, round: number, writer = 'a'): BlockTag => ({ generation, round, writer });

const block = (text: string): Buffer => Buffer.from(`${text.padEnd(BLOCK_BYTES - 1)}\n`);

describe('readTags', () => {
  it('reads generation, round and writer of each block, nothing of an empty one', () => {
    const volume = Buffer.concat([block('REATTACH gen=2 round=17 writer=node-a'), Buffer.alloc(BLOCK_BYTES)]);
    expect(readTags(volume)).toEqual([tag(2, 17, 'node-a'), undefined]);
  });

  it('refuses a block that is torn or foreign', () => {
    expect(() => readTags(block('hello'))).toThrow('Block 0 begins with "hello');
  });
});

describe('OverwriteOracle', () => {
  it('accepts writes of the generation that has the volume', () => {
    const oracle = new OverwriteOracle();
    oracle.mount();
    oracle.sample([undefined, tag(1, 0)]);
    oracle.sample([tag(1, 1), tag(1, 1)]);
    oracle.mount();
    oracle.sample([tag(1, 1), tag(2, 0, 'b')]);
    expect(oracle.overwrites).toEqual([]);
    expect(oracle.newest(2)).toEqual(tag(2, 0, 'b'));
  });

  it('reports a block that goes back to an earlier generation', () => {
    const oracle = new OverwriteOracle();
    oracle.mount();
    oracle.mount();
    oracle.sample([tag(2, 0, 'b'), tag(2, 0, 'b')]);
    expect(oracle.sample([tag(1, 9), tag(2, 0, 'b')])).toEqual([{ block: 0, by: tag(1, 9), generation: 2 }]);
    expect(oracle.sample([tag(1, 9), tag(2, 0, 'b')])).toEqual([]);
    expect(oracle.overwrites).toHaveLength(1);
  });

  it('reports a late write to a block that the new generation has not written yet', () => {
    const oracle = new OverwriteOracle();
    oracle.mount();
    oracle.sample([tag(1, 1)]);
    oracle.mount();
    oracle.sample([tag(1, 1)]);
    oracle.sample([tag(1, 2)]);
    expect(oracle.overwrites).toEqual([{ block: 0, by: tag(1, 2), generation: 2 }]);
  });
});
