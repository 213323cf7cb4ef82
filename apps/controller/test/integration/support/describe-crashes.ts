import { describe, expect, it } from 'vitest';
import { RECOVERED } from './crash.ts';
import { dieAtEachEffect, type Way } from './crash-ways.ts';
import { CUTS } from './effects.ts';

const TEST_MS = 120_000;

/** A test for each way. @param leastEffects that every one of them has */
export function describeCrashes(ways: readonly Way[], leastEffects: number): void {
  describe.each(ways)('$name: a controller cut off at any one effect', (way) => {
    it(
      'is followed by one that ends where one that lives ends',
      async () => {
        const [undisturbed, ...outcomes] = await dieAtEachEffect(way);
        expect(undisturbed).toMatchObject({ end: RECOVERED, deaths: 0, isConfirmed: false });
        expect(outcomes.length).toBeGreaterThanOrEqual(leastEffects * CUTS.length);
        for (const outcome of outcomes) expect(outcome).toMatchObject({ end: RECOVERED, deaths: 1 });
      },
      TEST_MS,
    );
  });
}
