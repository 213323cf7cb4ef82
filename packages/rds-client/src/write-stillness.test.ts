import { describe, expect, it } from 'vitest';
import { READ_AT_MS, snapshot } from '../test/support/snapshots.ts';
import { followWrites, type WriteRuns } from './write-stillness.ts';

/** Since when `pvc-a` is still after samples of write-ops, write-bytes and in-flight-ops, one second apart. */
function stillSince(
  ...samples: readonly (readonly [string, string, string] | undefined)[]
): number | undefined {
  let runs: WriteRuns = new Map();
  for (const [second, sample] of samples.entries()) {
    const [writeOps = '', writeBytes = '', inFlightOps = ''] = sample ?? [];
    const writeCounters = new Map(sample ? [['pvc-a', { writeOps, writeBytes, inFlightOps }]] : []);
    runs = followWrites(runs, snapshot({ writeCounters, sessionsReadAtMs: READ_AT_MS + second * 1_000 }));
  }
  const sinceMs = runs.get('pvc-a')?.sinceMs;
  return sinceMs === undefined ? undefined : sinceMs - READ_AT_MS;
}

describe('followWrites', () => {
  it('counts from the first of equal samples', () => {
    expect(stillSince(['1', '8', '0'], ['2', '16', '0'], ['2', '16', '0'], ['2', '16', '0'])).toBe(1_000);
  });

  it('starts again when either counter moves', () => {
    expect(stillSince(['1', '8', '0'], ['1', '9', '0'])).toBe(1_000);
    expect(stillSince(['1', '8', '0'], ['2', '8', '0'])).toBe(1_000);
  });

  it('has no run while writes are under way, and starts a new one after', () => {
    expect(stillSince(['1', '8', '0'], ['1', '8', '3'])).toBeUndefined();
    expect(stillSince(['1', '8', '0'], ['1', '8', '3'], ['1', '8', '0'])).toBe(2_000);
  });

  it('has no run without counters', () => {
    expect(stillSince(['1', '8', '0'], undefined)).toBeUndefined();
  });
});
