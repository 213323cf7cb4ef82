import { describe, expect, it } from 'vitest';
import { ReconnectBackoff } from './reconnect-backoff.ts';

const BACKOFF = { initialMs: 500, maxMs: 10_000 };
const delays = (backoff: ReconnectBackoff, count: number) =>
  Array.from({ length: count }, () => backoff.nextDelayMs(false));

describe('ReconnectBackoff', () => {
  it('doubles up to the longest delay, each in the upper half', () => {
    expect(delays(new ReconnectBackoff(BACKOFF, () => 1), 7)).toEqual([
      500, 1_000, 2_000, 4_000, 8_000, 10_000, 10_000,
    ]);
    expect(delays(new ReconnectBackoff(BACKOFF, () => 0), 3)).toEqual([250, 500, 1_000]);
  });

  it('does not wait after a stable attempt and starts again with the shortest delay', () => {
    const backoff = new ReconnectBackoff(BACKOFF, () => 1);
    delays(backoff, 4);
    expect(backoff.nextDelayMs(true)).toBe(0);
    expect(backoff.nextDelayMs(false)).toBe(500);
  });

  it('waits at least as long as the server says, up to a minute', () => {
    const backoff = new ReconnectBackoff(BACKOFF, () => 1);
    expect(backoff.nextDelayMs(false, 30_000)).toBe(30_000);
    expect(backoff.nextDelayMs(true, 5_000)).toBe(5_000);
    expect(backoff.nextDelayMs(false, 86_400_000)).toBe(60_000);
  });
});
