import { describe, expect, it } from 'vitest';
import { RECOVERED } from './support/crash.ts';
import { dieAtEachEffect, RELEASE_WAYS } from './support/crash-ways.ts';
import { CUTS } from './support/effects.ts';

/** Two pods and two volumes leave the node. */
const LEAST_EFFECTS = 4;
const TEST_MS = 120_000;

describe.each(RELEASE_WAYS)('$name: a controller cut off at any one effect', (way) => {
  it(
    'is followed by one that ends where one that lives ends',
    async () => {
      const [undisturbed, ...outcomes] = await dieAtEachEffect(way);
      expect(undisturbed).toMatchObject({ end: RECOVERED, deaths: 0 });
      expect(outcomes.length).toBeGreaterThanOrEqual(LEAST_EFFECTS * CUTS.length);
      for (const outcome of outcomes) expect(outcome).toMatchObject({ end: RECOVERED, deaths: 1 });
    },
    TEST_MS,
  );
});
