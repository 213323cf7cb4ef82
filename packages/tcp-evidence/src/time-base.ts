import type { TcpReading } from './tcp-reading.ts';

/** The backend's boot moment by our clock, as two bounds, and its uptime when it was read. */
export interface TimeBase {
  readonly bootedFromMs: number;
  readonly bootedToMs: number;
  readonly uptimeMs: number;
}

/** What happened to time between two readings. */
export type TimeChange =
  | { readonly kind: 'none' }
  /** The backend booted: its tables began empty. */
  | { readonly kind: 'booted' }
  /** The backend booted long ago, or our clock was set far forward: nothing tells which. */
  | { readonly kind: 'unclear' }
  /** A clock was stepped: `byMs` must be added to every remembered time. */
  | { readonly kind: 'stepped'; readonly byMs: number };

/** An uptime is printed in whole seconds. */
export const UPTIME_RESOLUTION_MS = 1_000;

/** Moves of the boot moment that clocks running at different speeds explain, ms. */
const DRIFT_MS = 500;

export function timeBaseOf(reading: TcpReading): TimeBase {
  const { uptimeMs, uptimeRequestedAtMs, uptimeReceivedAtMs } = reading;
  return {
    bootedFromMs: uptimeRequestedAtMs - uptimeMs - UPTIME_RESOLUTION_MS,
    bootedToMs: uptimeReceivedAtMs - uptimeMs,
    uptimeMs,
  };
}

/**
 * The uptime only grows until the backend boots, whatever clocks do. While it grows, a boot moment that moves means that a
 * clock was stepped, ours or the backend's.
 */
export function timeChange(before: TimeBase | undefined, now: TimeBase): TimeChange {
  if (!before) return { kind: 'none' };
  if (now.uptimeMs < before.uptimeMs) return { kind: 'booted' };
  const tooLateMs = now.bootedFromMs - before.bootedToMs;
  const tooEarlyMs = before.bootedFromMs - now.bootedToMs;
  if (tooLateMs <= DRIFT_MS && tooEarlyMs <= DRIFT_MS) return { kind: 'none' };
  // A boot that brought the uptime past the old one again moves the boot moment later by at least the old uptime.
  if (now.bootedFromMs >= before.bootedToMs + before.uptimeMs) return { kind: 'unclear' };
  const middle = ({ bootedFromMs, bootedToMs }: TimeBase) => (bootedFromMs + bootedToMs) / 2;
  return { kind: 'stepped', byMs: middle(now) - middle(before) };
}
