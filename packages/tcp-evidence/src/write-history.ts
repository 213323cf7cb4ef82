import type { TcpReading, VolumeCounters } from './tcp-reading.ts';

/** The current run of equal counters of one volume. */
export interface WriteRun extends VolumeCounters {
  /** Since when every reading has shown these counters. */
  readonly stillSinceMs: number;
  /** The reading before that one, which still showed others: the counters moved after it. Absent: never seen to move. */
  readonly movedAfterMs?: number;
}

/** By the backend's name of the volume. */
export type WriteHistory = ReadonlyMap<string, WriteRun>;

/** The runs after one more reading. */
export function foldWrites(
  before: WriteHistory,
  { counters, requestedAtMs, receivedAtMs }: TcpReading,
  previousRequestedAtMs: number | undefined,
): WriteHistory {
  const runs = new Map<string, WriteRun>();
  for (const [volume, counted] of counters) {
    const run = before.get(volume);
    if (run?.writes === counted.writes) runs.set(volume, { ...run, ...counted });
    else {
      const movedAfterMs = run && (previousRequestedAtMs ?? requestedAtMs);
      runs.set(volume, {
        ...counted,
        stillSinceMs: receivedAtMs,
        ...(movedAfterMs !== undefined && { movedAfterMs }),
      });
    }
  }
  return runs;
}
