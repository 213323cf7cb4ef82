/** Exponential back-off. */
export interface Backoff {
  /** Delay before the first retry, ms. */
  readonly initialMs: number;
  /** Longest delay before jitter, ms. */
  readonly maxMs: number;
}

/** Fraction by which a delay is moved up or down, so that many clients do not retry in step. */
const JITTER = 0.1;

/**
 * Delay before retry number `attempt` (1, 2, ...), ms: doubles from `initialMs` up to `maxMs`, with 10 % jitter.
 * @param random a number in [0, 1).
 */
export function backoffMs({ initialMs, maxMs }: Backoff, attempt: number, random: number): number {
  const delayMs = Math.min(initialMs * 2 ** (attempt - 1), maxMs);
  return Math.round(delayMs * (1 + JITTER * (2 * random - 1)));
}
