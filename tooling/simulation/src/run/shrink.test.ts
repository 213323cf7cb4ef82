import { describe, expect, it } from 'vitest';
import { shrink } from './shrink.ts';

const operation = (kind: string) => ({ atMs: 0, kind, node: 'node-a', value: 0 });

describe('shrink', () => {
  it('keeps only the operations that the finding needs, in their order', async () => {
    const operations = ['a', 'b', 'c', 'd', 'e', 'f', 'g'].map(operation);
    const needed = ['b', 'f'];
    const shortest = await shrink(operations, async (candidate) =>
      needed.every((kind) => candidate.some((each) => each.kind === kind)),
    );
    expect(shortest.map(({ kind }) => kind)).toEqual(needed);
  });

  it('finds that nothing is needed', async () => {
    expect(await shrink(['a', 'b', 'c'].map(operation), async () => true)).toEqual([]);
  });

  it('gives up after a bounded number of runs', async () => {
    let runs = 0;
    const operations = Array.from({ length: 200 }, (_, index) => operation(String(index)));
    await shrink(operations, async (candidate) => {
      runs += 1;
      return candidate.length === 200;
    });
    expect(runs).toBeLessThanOrEqual(120);
  });
});
