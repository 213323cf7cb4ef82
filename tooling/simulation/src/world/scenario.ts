import type { Strategy } from '@reattach/core';
import type { BackendKind } from '../storage/storage-product.ts';
import type { RunRandom } from '../time/run-random.ts';

/** A machine of the cluster as a run begins. */
export interface MachinePlan {
  readonly nodeName: string;
  readonly addresses: readonly string[];
  readonly alsoReported: readonly string[];
  /** `keep-alive-tmo`; 0: no keep-alives, and the target never gives up. */
  readonly keepAliveTimeoutMs: number;
  readonly ioQueues: number;
  /** Every second volume is reached over the second address. */
  readonly hasSecondPath: boolean;
}

/** A volume with the one pod that uses it. */
export interface VolumePlan {
  readonly slot: string;
  /** Its pod mounts a volume of another driver as well. */
  readonly hasSibling: boolean;
  /** It is the disk of a virtual machine, and several nodes may have it attached. */
  readonly isDisk: boolean;
}

/** What a run is about, before anything goes wrong. */
export interface Scenario {
  readonly backend: BackendKind;
  readonly machines: readonly MachinePlan[];
  readonly volumes: readonly VolumePlan[];
  readonly replicas: number;
  readonly earlyDetection: boolean;
  readonly strategy: Strategy;
  /** How long an accepted write stays in flight, ms. */
  readonly diskMs: number;
  /** Kubernetes detaches from a deleted Node at once, as coming versions do. */
  readonly detachesFromDeletedNodes: boolean;
}

const LETTERS = ['a', 'b', 'c', 'd', 'e'];

/** Every third run has a Linux target. */
export function drawBackend(random: RunRandom): BackendKind {
  return random.chance(1 / 3) ? 'linux' : 'rds';
}

/** Draws the cluster of a run. Most runs are ordinary in most respects. */
export function drawScenario(random: RunRandom, backend: BackendKind): Scenario {
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
      keepAliveTimeoutMs: random.pick(
        usual ? [5_000, 5_000, 10_000, 15_000] : [5_000, 15_000, 30_000, 60_000, 120_000, 0],
      ),
      ioQueues: random.integer(1, 2),
      hasSecondPath: isMultiHomed && random.chance(0.6),
    };
  });
  const volumes = Array.from(
    { length: 4 },
    (_, index): VolumePlan => ({
      slot: `pvc-${index}`,
      hasSibling: !usual && index !== 3 && random.chance(0.3),
      isDisk: index === 3 && random.chance(0.4),
    }),
  );
  return {
    backend,
    machines,
    volumes,
    replicas: random.chance(0.5) ? 2 : 1,
    earlyDetection: random.chance(0.5),
    strategy: random.weighted<Strategy>({ auto: 7, 'in-use': 1, delete: 1, 'out-of-service': 1 }),
    detachesFromDeletedNodes: random.chance(0.3),
    diskMs: usual ? 0 : random.pick([0, 200, 15_000, 45_000]),
  };
}
