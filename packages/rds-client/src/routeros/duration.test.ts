import { describe, expect, it } from 'vitest';
import { parseDuration } from './duration.ts';

const DAY_MS = 86_400_000;

describe('parseDuration', () => {
  it.each([
    ['23h59m52s', DAY_MS - 8_000],
    ['1d', DAY_MS],
    ['1w2d3h4m5s', 9 * DAY_MS + 11_045_000],
    ['4m59s', 299_000],
    ['0s', 0],
    ['90ms', 90],
    ['5m200ms', 300_200],
    ['23:59:52', DAY_MS - 8_000],
    ['1d02:03:04', DAY_MS + 7_384_000],
    ['1w1d00:00:01', 8 * DAY_MS + 1_000],
    ['00:00:10.5', 10_500],
    ['1970-01-02 01:02:03', DAY_MS + 3_723_000],
    ['1970-01-01T00:00:08', 8_000],
  ])('%s -> %d ms', (text, ms) => {
    expect(parseDuration(text)).toBe(ms);
  });

  it.each([
    '',
    '1',
    'none',
    '1x',
    '-1s',
    '1s1m',
    '1:2:3',
    '00:60:00',
    '1970-02-31 00:00:00',
    '1d 2h',
    '1969-12-31 23:59:59',
  ])('%j -> none', (text) => {
    expect(parseDuration(text)).toBeUndefined();
  });
});
