import { describe, expect, it } from 'vitest';
import { singleFlight } from './single-flight.ts';

describe('singleFlight', () => {
  it('runs the work once for all who ask while it runs, and again afterwards', async () => {
    let runs = 0;
    const ask = singleFlight(async () => ++runs);
    expect(await Promise.all([ask(), ask(), ask()])).toEqual([1, 1, 1]);
    expect(await ask()).toBe(2);
  });

  it('fails every caller, and tries again at the next call', async () => {
    let runs = 0;
    const ask = singleFlight(async () => {
      if (++runs === 1) throw new Error('broken');
      return runs;
    });
    const results = await Promise.allSettled([ask(), ask()]);
    expect(results.map(({ status }) => status)).toEqual(['rejected', 'rejected']);
    expect(await ask()).toBe(2);
  });
});
