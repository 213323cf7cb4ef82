import { describe, expect, it } from 'vitest';
import { runChaos } from '../chaos-run.ts';
import { ClientSockets } from '../client-sockets.ts';
import { until } from '../kube-world.ts';

/** Seeds to run: `CHAOS_SEEDS`, from `CHAOS_FIRST_SEED` on. */
const SEEDS = Number(process.env['CHAOS_SEEDS'] ?? 500);
const FIRST_SEED = Number(process.env['CHAOS_FIRST_SEED'] ?? 1);
const BATCH = 50;

const batches = Array.from({ length: Math.ceil(SEEDS / BATCH) }, (_, index) => {
  const first = FIRST_SEED + index * BATCH;
  return [first, Math.min(first + BATCH, FIRST_SEED + SEEDS) - 1] as const;
});

describe('Informer under random writes and faults', () => {
  it.each(batches)(
    'ends up equal to the server and leaves nothing: seeds %i to %i',
    async (first, last) => {
      using sockets = new ClientSockets();
      for (let seed = first; seed <= last; seed++) {
        try {
          await runChaos(seed);
        } catch (error) {
          throw new Error(`Seed ${seed} failed`, { cause: error });
        }
      }
      await until(() => sockets.open === 0, 'sockets to be closed');
      expect(sockets.open).toBe(0);
    },
    120_000,
  );
});
