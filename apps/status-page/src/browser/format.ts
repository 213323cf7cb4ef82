const SECOND_MS = 1_000;
const MINUTE_MS = 60 * SECOND_MS;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;

/** `4 min 12 s`: the two largest units. A negative time, from clocks that differ, counts as none. */
export function formatDuration(durationMs: number): string {
  const ms = Math.max(0, durationMs);
  const part = (unitMs: number, ofMs: number) => Math.floor((ms % ofMs) / unitMs);
  if (ms >= DAY_MS) return `${Math.floor(ms / DAY_MS)} d ${part(HOUR_MS, DAY_MS)} h`;
  if (ms >= HOUR_MS) return `${part(HOUR_MS, DAY_MS)} h ${part(MINUTE_MS, HOUR_MS)} min`;
  if (ms >= MINUTE_MS) return `${part(MINUTE_MS, HOUR_MS)} min ${part(SECOND_MS, MINUTE_MS)} s`;
  return `${Math.floor(ms / SECOND_MS)} s`;
}

/** `4 min`: the largest unit alone. */
export function formatRoughly(durationMs: number): string {
  return formatDuration(durationMs).split(' ', 2).join(' ');
}

/** `3 nodes`, `1 node`, `10,000 nodes`. */
export function count(amount: number, singular: string, plural: string = `${singular}s`): string {
  return `${amount.toLocaleString('en')} ${amount === 1 ? singular : plural}`;
}

/** `03:12:44`, with the date when it is not the day of `nowMs`. By the clock on the reader's wall. */
export function formatTime(atMs: number, nowMs: number): string {
  const at = new Date(atMs);
  const [hours, minutes, seconds] = [at.getHours(), at.getMinutes(), at.getSeconds()].map(twoDigits);
  const time = `${hours}:${minutes}:${seconds}`;
  if (at.toDateString() === new Date(nowMs).toDateString()) return time;
  return `${at.getFullYear()}-${twoDigits(at.getMonth() + 1)}-${twoDigits(at.getDate())} ${time}`;
}

/** `node-a`, `node-a and node-b`, `node-a, node-b and 3 more`. */
export function listNames(names: readonly string[], shown = 2): string {
  const [first = '', second] = names;
  if (names.length > shown) return `${names.slice(0, shown).join(', ')} and ${names.length - shown} more`;
  return second === undefined ? first : `${first} and ${second}`;
}

function twoDigits(value: number): string {
  return String(value).padStart(2, '0');
}
