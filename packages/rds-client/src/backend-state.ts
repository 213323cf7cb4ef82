import type { Enforcement, Fence } from '@reattach/core';
import { type ActivityMemory, NO_ACTIVITY, rememberActivity, timeBaseChanged } from './activity-memory.ts';
import { fenceGuard } from './fence-guard.ts';
import { type FenceMemory, readFences } from './fences.ts';
import type { Snapshot } from './snapshot.ts';
import { followWrites, type WriteRuns } from './write-stillness.ts';

/** All that one reading takes over from those before. Immutable. */
export interface BackendState {
  readonly activity: ActivityMemory;
  readonly fences: FenceMemory;
  readonly writes: WriteRuns;
}

export const NO_MEMORY: BackendState = { activity: NO_ACTIVITY, fences: new Map(), writes: new Map() };

/** A reading, with what it means in the light of those before. */
export interface Remembered {
  readonly memory: BackendState;
  readonly fences: readonly Fence[];
  readonly guard: Enforcement;
  /** Everything of before was forgotten. */
  readonly restarted: boolean;
}

/** Takes one more reading in. After a reboot of the backend or a jump of our clock nothing of before counts. */
export function remember(before: BackendState, snapshot: Snapshot, activityWindowMs: number): Remembered {
  const restarted = timeBaseChanged(before.activity, snapshot);
  const known = restarted ? NO_MEMORY : before;
  const ports = snapshot.exports.map(({ port }) => port);
  const guard = fenceGuard(snapshot.rawRules, ports);
  const enforced = guard.kind === 'enforced';
  const { fences, memory } = readFences(
    snapshot.fenceEntries,
    enforced,
    known.fences,
    snapshot.sessionsReadAtMs,
  );
  return {
    memory: {
      activity: rememberActivity(known.activity, snapshot, activityWindowMs),
      fences: memory,
      writes: followWrites(known.writes, snapshot),
    },
    fences,
    guard,
    restarted,
  };
}
