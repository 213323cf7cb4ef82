import { describe, expect, it } from 'vitest';
import { READ_AT_MS, session, snapshot, TRACKING } from '../test/support/snapshots.ts';
import { type ActivityMemory, NO_ACTIVITY, rememberActivity, timeBaseChanged } from './activity-memory.ts';
import type { Session, Snapshot } from './snapshot.ts';

const WINDOW_MS = 15_000;
const A = '10.0.5.1';

/** Readings at these ms after the first. */
function afterReadings(
  ...readings: readonly (readonly [number, readonly Session[], Partial<Snapshot>?])[]
): ActivityMemory {
  return readings.reduce<ActivityMemory>((memory, [atMs, sessions, overrides]) => {
    const reading = snapshot({ sessions, sessionsReadAtMs: READ_AT_MS + atMs, ...overrides });
    return rememberActivity(memory, reading, WINDOW_MS);
  }, NO_ACTIVITY);
}

/** Last activity of A in ms after the first reading. */
function lastOfA(memory: ActivityMemory): number | undefined {
  const activity = memory.addresses.get(A);
  return activity && activity.lastActivityMs - READ_AT_MS;
}

describe('rememberActivity', () => {
  it('takes the age of an entry, however old', () => {
    expect(lastOfA(afterReadings([0, [session(A, 3_000), session(A, 5_000)]]))).toBe(-3_000);
    expect(lastOfA(afterReadings([0, [session(A, 40_000_000)]]))).toBe(-40_000_000);
  });

  it('keeps the latest activity, whatever a later entry says', () => {
    expect(lastOfA(afterReadings([0, [session(A, 3_000)]], [2_000, [session(A, 9_000)]]))).toBe(-3_000);
  });

  it('counts an entry that is gone as active until the reading that showed it first', () => {
    expect(lastOfA(afterReadings([0, [session(A, 1_000)]], [2_000, []], [4_000, []]))).toBe(2_000);
  });

  it('counts an entry that was cut down as active until the reading that showed it first', () => {
    const cut = session(A, 0, { remainingMs: 299_000 });
    expect(lastOfA(afterReadings([0, [session(A, 1_000)]], [2_000, [cut]], [4_000, [cut]]))).toBe(2_000);
  });

  it('takes an address it sees closing for the first time as active until now', () => {
    expect(lastOfA(afterReadings([0, [session(A, 0, { state: 'fin-wait' })]]))).toBe(0);
  });

  it('takes every reading of a host that asks for a session as activity', () => {
    const opening = session(A, 0, { state: 'syn-sent' });
    expect(lastOfA(afterReadings([0, [opening]], [2_000, [opening]]))).toBe(2_000);
  });

  it('claims no silence for a time in which nobody watched', () => {
    expect(lastOfA(afterReadings([0, [session(A, 1_000)]], [2_000, []], [62_000, []]))).toBe(62_000);
  });

  it('learns nothing while tracking is off, and counts that as not watching', () => {
    const off = { tracking: { ...TRACKING, on: false } };
    const memory = afterReadings([0, [session(A, 1_000)]], [2_000, []], [10_000, [], off], [18_000, []]);
    expect(lastOfA(memory)).toBe(18_000);
  });

  it('forgets everybody when the box was restarted', () => {
    expect(
      lastOfA(afterReadings([0, [session(A, 1_000)]], [60_000, [], { uptimeMs: 5_000 }])),
    ).toBeUndefined();
  });

  it('does not change the memory it was given', () => {
    const before = afterReadings([0, [session(A, 1_000)]]);
    rememberActivity(before, snapshot({ sessionsReadAtMs: READ_AT_MS + 2_000 }), WINDOW_MS);
    expect(lastOfA(before)).toBe(-1_000);
  });
});

describe('timeBaseChanged', () => {
  const before = afterReadings([0, []]);

  it.each([
    ['a reading later', { sessionsReadAtMs: READ_AT_MS + 60_000 }, false],
    [
      'a slow reading',
      { sessionsReadAtMs: READ_AT_MS + 60_000, uptimeMs: snapshot().uptimeMs + 50_000 },
      false,
    ],
    ['uptime fell', { uptimeMs: snapshot().uptimeMs - 1 }, true],
    ['the box booted, though long ago', { sessionsReadAtMs: READ_AT_MS + 9e9, uptimeMs: 8.7e9 }, true],
    [
      'our clock jumped forward',
      { sessionsReadAtMs: READ_AT_MS + 3_600_000, uptimeMs: snapshot().uptimeMs },
      true,
    ],
    [
      'our clock jumped back',
      { sessionsReadAtMs: READ_AT_MS - 3_600_000, uptimeMs: snapshot().uptimeMs },
      true,
    ],
  ])('%s -> %s', (_, overrides, changed) => {
    expect(timeBaseChanged(before, snapshot(overrides))).toBe(changed);
  });
});
