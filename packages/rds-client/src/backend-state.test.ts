import { describe, expect, it } from 'vitest';
import { fenceEntry, READ_AT_MS, session, snapshot } from '../test/support/snapshots.ts';
import { NO_MEMORY, remember } from './backend-state.ts';

const WINDOW_MS = 15_000;
const COUNTERS = new Map([['pvc-a', { writeOps: '1', writeBytes: '8', inFlightOps: '0' }]]);
const READING = {
  sessions: [session('10.0.5.1', 1_000)],
  fenceEntries: [fenceEntry()],
  writeCounters: COUNTERS,
};

describe('remember', () => {
  const first = remember(NO_MEMORY, snapshot(READING), WINDOW_MS);

  it('takes over from one reading to the next', () => {
    const later = snapshot({ ...READING, sessions: [], sessionsReadAtMs: READ_AT_MS + 2_000 });
    const { memory, fences, guard, restarted } = remember(first.memory, later, WINDOW_MS);
    expect({ guard, restarted }).toEqual({ guard: { kind: 'enforced' }, restarted: false });
    expect(fences[0]?.seenSinceMs).toBe(READ_AT_MS);
    expect(memory.writes.get('pvc-a')?.sinceMs).toBe(READ_AT_MS);
    expect(memory.activity.addresses.get('10.0.5.1')?.lastActivityMs).toBe(READ_AT_MS + 2_000);
  });

  it('takes nothing over a restart of the backend', () => {
    const atMs = READ_AT_MS + 60_000;
    const later = snapshot({ ...READING, sessions: [], sessionsReadAtMs: atMs, uptimeMs: 5_000 });
    const { memory, fences, restarted } = remember(first.memory, later, WINDOW_MS);
    expect(restarted).toBe(true);
    expect(fences[0]?.seenSinceMs).toBe(atMs);
    expect(memory.writes.get('pvc-a')?.sinceMs).toBe(atMs);
    expect(memory.activity.addresses.size).toBe(0);
  });
});
