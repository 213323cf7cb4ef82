/** Delay before the first reconnect and longest delay before jitter, ms. */
const INITIAL_MS = 1_000;
const MAX_MS = 16_000;

/** Fraction by which a delay is moved up or down, so that many clients do not reconnect in step. */
const JITTER = 0.1;

/**
 * Delay before reconnect number `attempt` (1, 2, ...), ms: 1, 2, 4, 8, 16, 16, ... s with 10 % jitter.
 * @param random a number in [0, 1)
 */
export function reconnectDelayMs(attempt: number, random: number): number {
  const delayMs = Math.min(INITIAL_MS * 2 ** (attempt - 1), MAX_MS);
  return Math.round(delayMs * (1 + JITTER * (2 * random - 1)));
}
