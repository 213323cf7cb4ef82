const SECOND_MS = 1_000;
const MINUTE_MS = 60 * SECOND_MS;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;
const WEEK_MS = 7 * DAY_MS;

/** `1w2d3h4m5s6ms`, any part may be missing. */
const UNITS = /^(?:(\d+)w)?(?:(\d+)d)?(?:(\d+)h)?(?:(\d+)m(?!s))?(?:(\d+)s)?(?:(\d+)ms)?$/;

/** `23:59:52`, `1d02:03:04`, `1w1d02:03:04.5`. */
const CLOCK = /^(?:(\d+)w)?(?:(\d+)d)?(\d+):([0-5]\d):([0-5]\d)(?:\.(\d{1,3})\d*)?$/;

/** `1970-01-02 01:02:03`: a long duration, counted from the epoch. */
const DATE = /^(\d{4})-(\d\d)-(\d\d)[ T]([0-2]\d):([0-5]\d):([0-5]\d)$/;

/** Milliseconds of a duration in any of RouterOS' spellings; `undefined` when it is none. */
export function parseDuration(text: string): number | undefined {
  const units = text === '' ? null : UNITS.exec(text);
  if (units) {
    const [weeks, days, hours, minutes, seconds, millis] = numbers(units, 1);
    return (
      weeks * WEEK_MS + days * DAY_MS + hours * HOUR_MS + minutes * MINUTE_MS + seconds * SECOND_MS + millis
    );
  }
  const clock = CLOCK.exec(text);
  if (clock) {
    const [weeks, days, hours, minutes, seconds] = numbers(clock, 1);
    const millis = Number((clock[6] ?? '').padEnd(3, '0'));
    return (
      weeks * WEEK_MS + days * DAY_MS + hours * HOUR_MS + minutes * MINUTE_MS + seconds * SECOND_MS + millis
    );
  }
  const date = DATE.exec(text);
  if (!date) return undefined;
  const [year, month, day, hours, minutes, seconds] = numbers(date, 1);
  const sinceEpochMs = Date.UTC(year, month - 1, day, hours, minutes, seconds);
  // Date.UTC rolls over: the 31st of February is not a date.
  return new Date(sinceEpochMs).getUTCDate() === day && year >= 1970 ? sinceEpochMs : undefined;
}

type Six = [number, number, number, number, number, number];

function numbers(match: RegExpExecArray, from: number): Six {
  const at = (index: number) => Number(match[from + index] ?? 0);
  return [at(0), at(1), at(2), at(3), at(4), at(5)];
}
