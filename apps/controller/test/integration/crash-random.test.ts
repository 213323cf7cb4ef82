import { SeededRandom } from '@reattach/core/testing';
import { describe, expect, it } from 'vitest';
import { type Death, RECOVERED } from './support/crash.ts';
import { die, SILENT_WAYS, type Way, WRITING_WAYS } from './support/crash-ways.ts';
import { CUTS } from './support/effects.ts';

/** How many runs; `REATTACH_CRASH_SEEDS=1000` for a long one. */
const SEEDS = Number(process.env['REATTACH_CRASH_SEEDS'] ?? 28);
/** The first seed, to repeat one run: `REATTACH_CRASH_FIRST_SEED=17 REATTACH_CRASH_SEEDS=1`. */
const FIRST_SEED = Number(process.env['REATTACH_CRASH_FIRST_SEED'] ?? 1);
const DEATHS = 3;
/** Of one controller before it dies, at most. */
const MOST_EFFECTS = 5;
const MS_PER_SEED = 10_000;

const WAYS: readonly Way[] = [...SILENT_WAYS, ...WRITING_WAYS];

describe('controllers that are cut off again and again, anywhere', () => {
  it(
    `end where one that lives ends, in ${SEEDS} random runs`,
    async () => {
      let deaths = 0;
      for (let seed = FIRST_SEED; seed < FIRST_SEED + SEEDS; seed++) {
        const random = new SeededRandom(seed);
        const way = random.pick(WAYS);
        const planned = Array.from({ length: DEATHS }, () => randomDeath(random));
        const how = `seed ${seed}: ${way.name}, ${JSON.stringify(planned)}`;
        const outcome = await die(way, planned, how);
        expect(outcome).toMatchObject({ how, end: RECOVERED });
        deaths += outcome.deaths;
      }
      expect(deaths).toBeGreaterThan(SEEDS);
    },
    SEEDS * MS_PER_SEED,
  );
});

function randomDeath(random: SeededRandom): Death {
  return {
    effect: {
      at: random.pick(['kube', 'kube', 'backend'] as const),
      number: random.integer(1, MOST_EFFECTS),
    },
    cut: random.pick(CUTS),
  };
}
