const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;

/** As people say it: `0.4 s`, `12 s`, `3 min 4 s`, `2 h 5 min`, `3 d 4 h`. */
export function formatDuration(ms: number): string {
  if (ms < 9_950) return `${(Math.max(ms, 0) / 1_000).toFixed(1)} s`;
  const rounded = Math.round(ms / 1_000) * 1_000;
  if (rounded < MINUTE_MS) return `${rounded / 1_000} s`;
  if (rounded < HOUR_MS) return two(rounded, MINUTE_MS, 'min', 1_000, 's');
  if (rounded < DAY_MS) return two(rounded, HOUR_MS, 'h', MINUTE_MS, 'min');
  return two(rounded, DAY_MS, 'd', HOUR_MS, 'h');
}

/** `2026-11-24 12:00:05Z`. */
export function formatTime(epochMs: number): string {
  return `${new Date(epochMs).toISOString().slice(0, 19).replace('T', ' ')}Z`;
}

function two(ms: number, largeMs: number, large: string, smallMs: number, small: string): string {
  const rest = Math.floor((ms % largeMs) / smallMs);
  const head = `${Math.floor(ms / largeMs)} ${large}`;
  return rest === 0 ? head : `${head} ${rest} ${small}`;
}
