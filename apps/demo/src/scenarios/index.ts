import type { Scenario } from '../scenario.ts';
import { backendDown } from './backend-down.ts';
import { fenceRemoved } from './fence-removed.ts';
import { kubeletDead } from './kubelet-dead.ts';
import { leaderCrash } from './leader-crash.ts';
import { longKeepAlive } from './long-keep-alive.ts';
import { massFailure } from './mass-failure.ts';
import { nodeDeleted } from './node-deleted.ts';
import { partition } from './partition.ts';
import { powerLoss } from './power-loss.ts';
import { rejoin } from './rejoin.ts';
import { replacedNode } from './replaced-node.ts';
import { secondPath } from './second-path.ts';
import { sharedAddress } from './shared-address.ts';
import { slowDisk } from './slow-disk.ts';
import { stuckMigration } from './stuck-migration.ts';

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
  replacedNode,
  sharedAddress,
  secondPath,
  slowDisk,
  fenceRemoved,
  longKeepAlive,
  stuckMigration,
];
