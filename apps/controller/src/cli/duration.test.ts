import { describe, expect, it } from 'vitest';
import { formatDuration, formatTime } from './duration.ts';

describe('formatDuration', () => {
  it.each([
    [-5, '0.0 s'],
    [0, '0.0 s'],
    [449, '0.4 s'],
    [9_949, '9.9 s'],
    [9_950, '10 s'],
    [59_499, '59 s'],
    [59_500, '1 min'],
    [64_000, '1 min 4 s'],
    [3_599_499, '59 min 59 s'],
    [3_600_000, '1 h'],
    [7_500_000, '2 h 5 min'],
    [86_400_000, '1 d'],
    [100 * 3_600_000, '4 d 4 h'],
  ])('%i ms -> %s', (ms, text) => {
    expect(formatDuration(ms)).toBe(text);
  });
});

describe('formatTime', () => {
  it('is UTC, to the second', () => {
    expect(formatTime(Date.UTC(2026, 10, 24, 3, 4, 5, 999))).toBe('2026-11-24 03:04:05Z');
  });
});
