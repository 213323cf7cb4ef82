import { describe, expect, it } from 'vitest';
import { count, formatDuration, formatTime, listNames } from './format.ts';

describe('formatDuration', () => {
  it.each([
    [-5_000, '0 s'],
    [999, '0 s'],
    [59_999, '59 s'],
    [252_000, '4 min 12 s'],
    [3_600_000, '1 h 0 min'],
    [86_399_999, '23 h 59 min'],
    [9 * 86_400_000 + 7_200_000, '9 d 2 h'],
  ])('%i ms -> %s', (ms, text) => {
    expect(formatDuration(ms)).toBe(text);
  });
});

describe('formatTime', () => {
  const at = new Date(2026, 10, 4, 3, 2, 1).getTime();

  it('leaves out the date of today', () => {
    expect(formatTime(at, at + 60_000)).toBe('03:02:01');
  });

  it('names the date of another day', () => {
    expect(formatTime(at, at + 86_400_000)).toBe('2026-11-04 03:02:01');
  });
});

describe('count', () => {
  it.each([
    [0, '0 nodes'],
    [1, '1 node'],
    [10_000, '10,000 nodes'],
  ])('%i -> %s', (amount, text) => {
    expect(count(amount, 'node')).toBe(text);
  });
});

describe('listNames', () => {
  it.each([
    [['a'], 'a'],
    [['a', 'b'], 'a and b'],
    [['a', 'b', 'c'], 'a, b and 1 more'],
  ])('%j -> %s', (names, text) => {
    expect(listNames(names)).toBe(text);
  });
});
