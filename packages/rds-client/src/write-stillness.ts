import type { Snapshot, WriteCounters } from './snapshot.ts';

/** The current run of equal samples of one export. */
interface Run extends WriteCounters {
  /** Time of its first sample, epoch ms. */
  readonly sinceMs: number;
}

/** By slot. */
export type WriteRuns = ReadonlyMap<string, Run>;

/** The runs after one more reading. A sample with writes under way belongs to none. */
export function followWrites(before: WriteRuns, { writeCounters, sessionsReadAtMs }: Snapshot): WriteRuns {
  const runs = new Map<string, Run>();
  for (const [slot, sample] of writeCounters) {
    if (sample.inFlightOps !== '0') continue;
    const run = before.get(slot);
    const goesOn = run?.writeOps === sample.writeOps && run.writeBytes === sample.writeBytes;
    runs.set(slot, goesOn ? run : { ...sample, sinceMs: sessionsReadAtMs });
  }
  return runs;
}
