import type { RdsSimOptions } from '@reattach/rds-sim';
import { describe, expect, it } from 'vitest';
import { Lab } from './support/lab.ts';
import { WORLD_TIMES } from './support/times.ts';

const LOST = 'node-a';

/** How long the backend takes to carry out a write that it has accepted, ms: longer than a fail-over without a quiesce. */
const SERVICE_MS = 5_000;

/** Between two writes: longer than counters must stand still, so that only the queues keep the next writer off. */
const WRITE_INTERVAL_MS = 1_000;

/** A node is cut off in the middle of its writes, and its pods go on elsewhere. @returns writes that landed after a newer writer's */
async function doubleWrites(backend: Partial<RdsSimOptions>): Promise<number> {
  await using lab = await Lab.start({
    nodes: [LOST, 'node-b'],
    volumes: 4,
    rds: { writeServiceMs: SERVICE_MS, ...backend },
    times: { ...WORLD_TIMES, writeIntervalMs: WRITE_INTERVAL_MS },
  });
  const controller = await lab.ready();
  lab.world.node(LOST).kubelet.stop(); // its pods write on
  await lab.until('the fence', () => controller.logged('Fenced node').length > 0);
  lab.world.rds.device.writeServiceMs = 0; // what comes later is carried out sooner
  await lab.failedOver(LOST);
  await lab.runFor(2 * SERVICE_MS);
  return lab.world.rds.oracle.doubleWrites;
}

describe('what a backend has accepted before the fence', () => {
  it.each([true, false])(
    'lands before anybody else may write, whether in-flight shows it or not: %s',
    async (inFlightOpsCount) => {
      expect(await doubleWrites({ inFlightOpsCount })).toBe(0);
    },
  );
});
