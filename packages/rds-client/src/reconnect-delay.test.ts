import { describe, expect, it } from 'vitest';
import { reconnectDelayMs } from './reconnect-delay.ts';

describe('reconnectDelayMs', () => {
  it('is 1, 2, 4, 8, 16, 16, ... s', () => {
    const delays = [1, 2, 3, 4, 5, 6, 1_000, 5_000].map((attempt) => reconnectDelayMs(attempt, 0.5));
    expect(delays).toEqual([1_000, 2_000, 4_000, 8_000, 16_000, 16_000, 16_000, 16_000]);
  });

  it('moves by up to 10 %', () => {
    expect([reconnectDelayMs(5, 0), reconnectDelayMs(5, 0.999_999)]).toEqual([14_400, 17_600]);
  });
});
