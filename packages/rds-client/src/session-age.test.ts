import { describe, expect, it } from 'vitest';
import { session, TRACKING } from '../test/support/snapshots.ts';
import { sessionAge } from './session-age.ts';

const UPTIME_MS = 1_000_000_000;

describe('sessionAge', () => {
  it('is what has run off an established session', () => {
    expect(sessionAge(session('10.0.5.1', 7_000), TRACKING, UPTIME_MS)).toEqual({
      kind: 'dated',
      ageMs: 8_000,
    });
  });

  it.each(['syn-sent', 'time-wait', 'close', 'close-wait', 'fin-wait', 'last-ack', 'none'])(
    'cannot be told in state %s',
    (state) => {
      expect(sessionAge(session('10.0.5.1', 0, { state }), TRACKING, UPTIME_MS).kind).toBe('undated');
    },
  );

  it('cannot be told while the entry is cut down for data that is not acknowledged', () => {
    const cut = session('10.0.5.1', 0, { remainingMs: 300_000 });
    expect(sessionAge(cut, TRACKING, UPTIME_MS).kind).toBe('undated');
    const short = { ...TRACKING, establishedTimeoutMs: 300_000 };
    expect(sessionAge(cut, short, UPTIME_MS)).toEqual({ kind: 'dated', ageMs: 0 });
  });

  it('is impossible when negative, longer than the backend is up, or without a timeout', () => {
    const { remainingMs: _, ...without } = session('10.0.5.1', 0);
    expect(sessionAge(session('10.0.5.1', -2_000), TRACKING, UPTIME_MS).kind).toBe('impossible');
    expect(sessionAge(session('10.0.5.1', 200_000), TRACKING, 100_000).kind).toBe('impossible');
    expect(sessionAge(without, TRACKING, UPTIME_MS).kind).toBe('impossible');
  });
});
