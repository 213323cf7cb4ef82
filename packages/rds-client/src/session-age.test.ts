import { describe, expect, it } from 'vitest';
import { session, snapshot, TRACKING } from '../test/support/snapshots.ts';
import { liveAddresses, sessionAge } from './session-age.ts';

const UPTIME_MS = 1_000_000_000;

describe('sessionAge', () => {
  it('is what has run off an established session', () => {
    expect(sessionAge(session('10.0.5.1', 7_000), TRACKING, UPTIME_MS)).toEqual({
      kind: 'dated',
      ageMs: 7_000,
    });
  });

  it.each(['time-wait', 'close', 'close-wait', 'fin-wait', 'last-ack', 'none'])(
    'cannot be told in state %s',
    (state) => {
      expect(sessionAge(session('10.0.5.1', 0, { state }), TRACKING, UPTIME_MS).kind).toBe('undated');
    },
  );

  it.each(['syn-sent', 'syn-received'])('is no question in state %s: the host is there', (state) => {
    expect(sessionAge(session('10.0.5.1', 0, { state }), TRACKING, UPTIME_MS).kind).toBe('opening');
  });

  it('cannot be told once the entry was cut down for unanswered packets', () => {
    const cut = session('10.0.5.1', 0, { remainingMs: 300_000 });
    expect(sessionAge(cut, TRACKING, UPTIME_MS).kind).toBe('undated');
    const short = { ...TRACKING, establishedTimeoutMs: 300_000 };
    expect(sessionAge(cut, short, UPTIME_MS)).toEqual({ kind: 'dated', ageMs: 0 });
  });

  it('is impossible when negative, longer than the box is up, or without a timeout', () => {
    const { remainingMs: _, ...without } = session('10.0.5.1', 0);
    expect(sessionAge(session('10.0.5.1', -1_000), TRACKING, UPTIME_MS).kind).toBe('impossible');
    expect(sessionAge(session('10.0.5.1', 200_000), TRACKING, 100_000).kind).toBe('impossible');
    expect(sessionAge(without, TRACKING, UPTIME_MS).kind).toBe('impossible');
  });
});

describe('liveAddresses', () => {
  it('are those with an established session younger than the window', () => {
    const sessions = [
      session('10.0.5.1', 14_999),
      session('10.0.5.2', 15_000),
      session('10.0.5.3', 0, { state: 'syn-sent' }),
      session('10.0.5.4', -1),
    ];
    expect([...liveAddresses(snapshot({ sessions }), 15_000)]).toEqual(['10.0.5.1']);
  });
});
