import type { Scenario } from '../scenario.ts';
import { backendDown } from './backend-down.ts';
import { kubeletDead } from './kubelet-dead.ts';
import { leaderCrash } from './leader-crash.ts';
import { massFailure } from './mass-failure.ts';
import { nodeDeleted } from './node-deleted.ts';
import { partition } from './partition.ts';
import { powerLoss } from './power-loss.ts';
import { rejoin } from './rejoin.ts';

/** Every scenario; the first is the default. */
export const SCENARIOS: readonly Scenario[] = [
  powerLoss,
  nodeDeleted,
  kubeletDead,
  backendDown,
  partition,
  massFailure,
  rejoin,
  leaderCrash,
];
