import { describe, expect, it } from 'vitest';
import { busy, READ_AT_MS, session, snapshot, TRACKING } from '../test/support/snapshots.ts';
import {
  type ActivityMemory,
  liveAddresses,
  NO_ACTIVITY,
  rememberActivity,
  timeBaseChanged,
} from './activity-memory.ts';
import type { Session, Snapshot } from './snapshot.ts';

const WINDOW_MS = 15_000;
const A = '10.0.5.1';

/** At which ms after the first, with which sessions, and what else. */
type Reading = readonly [number, readonly Session[], Partial<Snapshot>?];

function afterReadings(...readings: readonly Reading[]): ActivityMemory {
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
    expect(lastOfA(afterReadings([0, [session(A, 3_000), session(A, 5_000, { hostPort: 2 })]]))).toBe(-3_000);
    expect(lastOfA(afterReadings([0, [session(A, 40_000_000)]]))).toBe(-40_000_000);
  });

  it('never takes an activity for later than the reading that shows it', () => {
    expect(lastOfA(afterReadings([0, [session(A, -1_000)]]))).toBe(0);
    expect(lastOfA(afterReadings([0, [session(A, -500)]]))).toBe(0);
  });

  it('keeps the latest activity, whatever a later entry says', () => {
    expect(lastOfA(afterReadings([0, [session(A, 3_000)]], [2_000, [session(A, 9_000)]]))).toBe(-3_000);
  });

  it('counts a busy host as active until every reading its counter moved before', () => {
    const memory = afterReadings([0, [busy(A, 10)]], [2_000, [busy(A, 11)]], [20_000, [busy(A, 12)]]);
    expect(lastOfA(memory)).toBe(20_000);
  });

  it.each<[string, Partial<Session>]>([
    ['cut down for unanswered data', {}],
    ['closed by the backend', { state: 'fin-wait' }],
  ])('knows by its counter that a host is silent while its entry is %s', (_, overrides) => {
    const quiet = busy(A, 10, overrides);
    const dated = session(A, 4_000, { hostPackets: 10 });
    expect(lastOfA(afterReadings([0, [dated]], [2_000, [quiet]], [4_000, [quiet]], [62_000, [quiet]]))).toBe(
      -4_000,
    );
  });

  it('takes an entry without a counter, or one it sees for the first time, as active until now', () => {
    const uncounted = session(A, 0, { remainingMs: 1_000 });
    expect(lastOfA(afterReadings([0, [uncounted]], [2_000, [uncounted]]))).toBe(2_000);
    expect(lastOfA(afterReadings([0, [busy(A, 10)]]))).toBe(0);
    expect(lastOfA(afterReadings([0, [busy(A, 10)]], [2_000, [busy(A, 10, { hostPort: 2 })]]))).toBe(2_000);
    expect(lastOfA(afterReadings([0, [busy(A, 10)]], [2_000, [busy(A, 3)]]))).toBe(2_000);
  });

  it('takes the later of two entries that cannot be told apart, and trusts no counter of theirs', () => {
    expect(lastOfA(afterReadings([0, [session(A, 1_000), session(A, 5_000)]]))).toBe(-1_000);
    expect(lastOfA(afterReadings([0, [session(A, 5_000), session(A, 1_000)]]))).toBe(-1_000);
    const twins = [busy(A, 1), busy(A, 1)];
    expect(lastOfA(afterReadings([0, twins], [2_000, twins]))).toBe(2_000);
  });

  it('counts a session that is gone as active until the reading that showed it first', () => {
    expect(lastOfA(afterReadings([0, [session(A, 1_000)]], [2_000, []], [4_000, []]))).toBe(2_000);
  });

  it('knows that a closing entry ran out by itself, if it watched', () => {
    const closing = busy(A, 10, { state: 'fin-wait' });
    const dated = session(A, 4_000, { hostPackets: 10 });
    expect(lastOfA(afterReadings([0, [dated]], [2_000, [closing]], [12_000, []], [20_000, []]))).toBe(-4_000);
    expect(lastOfA(afterReadings([0, [dated]], [2_000, [closing]], [12_001, []]))).toBe(12_001);
  });

  it('claims no silence for a time in which nobody watched', () => {
    expect(lastOfA(afterReadings([0, [session(A, 1_000)]], [2_000, []], [62_000, []]))).toBe(62_000);
  });

  it('learns nothing while tracking is off, and counts that as not watching', () => {
    const off = { tracking: { ...TRACKING, on: false } };
    const memory = afterReadings([0, [session(A, 1_000)]], [2_000, []], [10_000, [], off], [18_000, []]);
    expect(lastOfA(memory)).toBe(18_000);
  });

  it('forgets everybody when the backend was restarted', () => {
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

describe('liveAddresses', () => {
  /** Whether A is live in the last of these readings. */
  function isLive(readings: readonly Reading[]): boolean {
    const [atMs = 0, sessions = []] = readings.at(-1) ?? [];
    const reading = snapshot({ sessions, sessionsReadAtMs: READ_AT_MS + atMs });
    return liveAddresses(afterReadings(...readings), reading, WINDOW_MS).has(A);
  }

  it.each<[string, readonly Reading[], boolean]>([
    ['a session younger than the window', [[0, [session(A, 13_999)]]], true],
    ['one that may be as old as the window', [[0, [session(A, 14_000)]]], false],
    ['one of the future', [[0, [session(A, -1_001)]]], false],
    ['a busy one seen once', [[0, [busy(A, 1)]]], false],
    [
      'a busy one whose counter moved',
      [
        [0, [busy(A, 1)]],
        [14_000, [busy(A, 2)]],
      ],
      true,
    ],
    [
      'one whose counter moved at some time in a minute',
      [
        [0, [busy(A, 1)]],
        [60_000, [busy(A, 2)]],
      ],
      false,
    ],
    [
      'a busy one whose counter fell: it is another',
      [
        [0, [busy(A, 5)]],
        [2_000, [busy(A, 3)]],
      ],
      false,
    ],
    [
      'a busy one whose counter stands still',
      [
        [0, [busy(A, 1)]],
        [2_000, [busy(A, 1)]],
      ],
      false,
    ],
    ['one asking for a session', [[0, [busy(A, 1, { state: 'syn-sent' })]]], false],
    [
      'one that is gone',
      [
        [0, [session(A, 1_000)]],
        [2_000, []],
      ],
      false,
    ],
  ])('%s -> %s', (_, readings, live) => {
    expect(isLive(readings)).toBe(live);
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
    ['the backend booted, though long ago', { sessionsReadAtMs: READ_AT_MS + 9e9, uptimeMs: 8.7e9 }, true],
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
