/**
 * How a span of time is spelled.
 * - `units`: `1d2h3m4s`, parts that are zero left out. `clock`: `1d02:03:04`.
 * - `date`: like `clock` up to a day, from there on a date counted from 1970: `1970-01-02 02:03:04`.
 */
export type DurationStyle = 'units' | 'clock' | 'date';

const DAY_S = 86_400;
const UNITS: readonly (readonly [string, number])[] = [
  ['w', 7 * DAY_S],
  ['d', DAY_S],
  ['h', 3600],
  ['m', 60],
  ['s', 1],
];

export function formatDuration(durationMs: number, style: DurationStyle): string {
  const seconds = Math.max(0, Math.floor(durationMs / 1000));
  if (style === 'units') return units(seconds);
  const time = new Date((seconds % DAY_S) * 1000).toISOString().slice(11, 19);
  if (seconds < DAY_S) return time;
  if (style === 'clock') return `${Math.floor(seconds / DAY_S)}d${time}`;
  return new Date(seconds * 1000).toISOString().slice(0, 19).replace('T', ' ');
}

function units(seconds: number): string {
  let rest = seconds;
  let text = '';
  for (const [unit, size] of UNITS) {
    const count = Math.floor(rest / size);
    if (count > 0) text += `${count}${unit}`;
    rest -= count * size;
  }
  return text === '' ? '0s' : text;
}

/** Reads `1d2h3m4s`, `1d02:03:04`, `02:03:04` or plain seconds; ms, or `undefined` for anything else. */
export function parseDuration(text: string): number | undefined {
  if (/^\d+$/.test(text)) return Number(text) * 1000;
  const clock = /^(?:(\d+)d)?(\d{1,2}):(\d{2}):(\d{2})$/.exec(text);
  if (clock) {
    const [, days = '0', hours, minutes, seconds] = clock;
    return (Number(days) * DAY_S + Number(hours) * 3600 + Number(minutes) * 60 + Number(seconds)) * 1000;
  }
  if (!/^(?:\d+w)?(?:\d+d)?(?:\d+h)?(?:\d+m)?(?:\d+s)?$/.test(text) || text === '') return undefined;
  let seconds = 0;
  for (const [, count, unit] of text.matchAll(/(\d+)([wdhms])/g)) {
    seconds += Number(count) * (UNITS.find(([name]) => name === unit)?.[1] ?? 0);
  }
  return seconds * 1000;
}
