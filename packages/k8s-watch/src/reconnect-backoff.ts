import type { Backoff } from '@reattach/core';

/** Longest `Retry-After` that is honoured, ms: a longer one would leave the cache blind. */
const MAX_RETRY_AFTER_MS = 60_000;

/**
 * How long to wait before the next attempt. Delays double from `initialMs` to `maxMs`, each moved at random into its
 * upper half. Only a stable attempt resets them; the one after it comes at once.
 */
export class ReconnectBackoff {
  readonly #backoff: Backoff;
  readonly #random: () => number;
  #failures = 0;

  constructor(backoff: Backoff, random: () => number) {
    this.#backoff = backoff;
    this.#random = random;
  }

  /** @param stable the attempt that has just ended was healthy for long enough to forget the failures before it. */
  nextDelayMs(stable: boolean, retryAfterMs = 0): number {
    if (stable) this.#failures = 0;
    const { initialMs, maxMs } = this.#backoff;
    const ceilingMs = stable ? 0 : Math.min(initialMs * 2 ** this.#failures, maxMs);
    if (!stable) this.#failures += 1;
    const delayMs = Math.round((ceilingMs / 2) * (1 + this.#random()));
    return Math.max(delayMs, Math.min(retryAfterMs, MAX_RETRY_AFTER_MS));
  }
}
