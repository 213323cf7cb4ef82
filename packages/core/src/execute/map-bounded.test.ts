import { describe, expect, it } from 'vitest';
import { settle } from '../testing/fake-clock.ts';
import { mapBounded } from './map-bounded.ts';

/** Items that wait for their gates. */
function gated(count: number) {
  const gates = Array.from({ length: count }, () => Promise.withResolvers<string>());
  const started: number[] = [];
  const run = (index: number) => {
    started.push(index);
    return gates[index]?.promise ?? Promise.reject(new Error('no gate'));
  };
  return { gates, started, run, items: gates.map((_, index) => index) };
}

describe('mapBounded', () => {
  it('returns the results in order, whatever the order they come in', async () => {
    const { gates, items, run } = gated(3);
    const all = mapBounded(items, 3, run);
    for (const index of [2, 0, 1]) gates[index]?.resolve(`r${index}`);
    expect(await all).toEqual(['r0', 'r1', 'r2']);
  });

  it('starts at most so many at a time, and the next when one has ended', async () => {
    const { gates, items, run, started } = gated(4);
    const all = mapBounded(items, 2, run);
    await settle();
    expect(started).toEqual([0, 1]);
    gates[1]?.resolve('r');
    await settle();
    expect(started).toEqual([0, 1, 2]);
    for (const gate of gates) gate.resolve('r');
    await all;
    expect(started).toEqual([0, 1, 2, 3]);
  });

  it('throws the first failure, starts nothing after it, and only once all has settled', async () => {
    const { gates, items, run, started } = gated(4);
    let settled = false;
    const all = mapBounded(items, 2, run).finally(() => (settled = true));
    all.catch(() => undefined);
    await settle();
    gates[0]?.reject(new Error('first'));
    await settle();
    expect([settled, started]).toEqual([false, [0, 1]]);
    gates[1]?.reject(new Error('second'));
    await expect(all).rejects.toThrow('first');
    expect(started).toEqual([0, 1]);
  });

  it('does nothing with nothing', async () => {
    expect(await mapBounded([], 8, () => Promise.reject(new Error('called')))).toEqual([]);
  });
});
