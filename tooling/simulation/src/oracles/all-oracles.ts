import { watchClaims } from './claims.ts';
import { watchConfirmations } from './confirmation.ts';
import { watchLeadership } from './leadership.ts';
import { watchLeaks } from './leaks.ts';
import type { CreateOracle } from './oracle.ts';
import { watchStuckVolumes } from './stuck.ts';
import { watchWriters } from './writers.ts';
import { watchFences } from './wrongly-fenced.ts';

/** Every oracle there is. */
export const ORACLES: readonly CreateOracle[] = [
  watchWriters,
  watchFences,
  watchStuckVolumes,
  watchConfirmations,
  watchLeadership,
  watchLeaks,
  watchClaims,
];
