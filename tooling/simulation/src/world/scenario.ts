import type { Strategy } from '@reattach/core';
import type { RunRandom } from '../time/run-random.ts';

/** A machine of the cluster as a run begins. */
export interface MachinePlan {
  readonly nodeName: string;
  readonly addresses: readonly string[];
  readonly alsoReported: readonly string[];
  /** Between two keep-alives of an idle host, ms: a quarter of its keep-alive time-out. */
  readonly keepAliveMs: number;
  readonly ioQueues: number;
  /** Every second volume is reached over the second address. */
  readonly hasSecondPath: boolean;
}

/** A volume with the one pod that uses it. */
export interface VolumePlan {
  readonly slot: string;
  /** Its pod mounts a volume of another driver as well. */
  readonly hasSibling: boolean;
}

/** What a run is about, before anything goes wrong. */
export interface Scenario {
  readonly machines: readonly MachinePlan[];
  readonly volumes: readonly VolumePlan[];
  readonly replicas: number;
  readonly earlyDetection: boolean;
  readonly strategy: Strategy;
  /** How long an accepted write stays in flight, ms. */
  readonly diskMs: number;
}

const LETTERS = ['a', 'b', 'c', 'd', 'e'];

/** Draws the cluster of a run. Most runs are ordinary in most respects. */
export function drawScenario(random: RunRandom): Scenario {
  const usual = random.chance(0.7);
  const machines = LETTERS.slice(0, random.integer(4, 5)).map((letter, index): MachinePlan => {
    const isMultiHomed = !usual && random.chance(0.3);
    const primary = `10.0.0.${index + 11}`;
    const secondary = `10.0.1.${index + 11}`;
    const isReported = random.chance(0.5);
    return {
      nodeName: `node-${letter}`,
      addresses: isMultiHomed ? [primary, secondary] : [primary],
      alsoReported: isMultiHomed && isReported ? [secondary] : [],
      keepAliveMs: usual
        ? random.pick([1_250, 2_500, 5_000])
        : random.pick([1_250, 2_500, 5_000, 30_000, 60_000]),
      ioQueues: random.integer(1, 2),
      hasSecondPath: isMultiHomed && random.chance(0.6),
    };
  });
  const volumes = Array.from(
    { length: 4 },
    (_, index): VolumePlan => ({
      slot: `pvc-${index}`,
      hasSibling: !usual && random.chance(0.2),
    }),
  );
  return {
    machines,
    volumes,
    replicas: random.chance(0.5) ? 2 : 1,
    earlyDetection: random.chance(0.5),
    strategy: random.weighted<Strategy>({ auto: 7, 'in-use': 1, delete: 1, 'out-of-service': 1 }),
    diskMs: usual ? 0 : random.pick([0, 200, 15_000, 45_000]),
  };
}
