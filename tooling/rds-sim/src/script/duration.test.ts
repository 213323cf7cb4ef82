import { describe, expect, it } from 'vitest';
import { formatDuration, parseDuration } from './duration.ts';

describe('formatDuration', () => {
  it.each([
    [0, '0s', '00:00:00', '00:00:00'],
    [59_999, '59s', '00:00:59', '00:00:59'],
    [86_392_000, '23h59m52s', '23:59:52', '23:59:52'],
    [86_400_000, '1d', '1d00:00:00', '1970-01-02 00:00:00'],
    [93_784_000, '1d2h3m4s', '1d02:03:04', '1970-01-02 02:03:04'],
    [3_099_051_000, '5w20h50m51s', '35d20:50:51', '1970-02-05 20:50:51'],
  ])('%i ms', (ms, units, clock, date) => {
    expect(formatDuration(ms, 'units')).toBe(units);
    expect(formatDuration(ms, 'clock')).toBe(clock);
    expect(formatDuration(ms, 'date')).toBe(date);
    expect(parseDuration(units)).toBe(ms - (ms % 1000));
    expect(parseDuration(clock)).toBe(ms - (ms % 1000));
  });
});

describe('parseDuration', () => {
  it('takes plain seconds and refuses the rest', () => {
    expect(parseDuration('90')).toBe(90_000);
    for (const text of ['', '1x', 'h', '1m1h', '1:2']) expect(parseDuration(text)).toBeUndefined();
  });
});
