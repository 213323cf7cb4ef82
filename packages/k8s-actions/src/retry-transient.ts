import { type Clock, delay, type Logger } from '@reattach/core';
import { KubeApiError, type KubeApiErrorCode } from '@reattach/k8s-api';

/** Refusals that another attempt may not meet. After a conflict the next attempt reads what is there now. */
const TRANSIENT: ReadonlySet<KubeApiErrorCode> = new Set([
  'CONFLICT',
  'TOO_MANY_REQUESTS',
  'SERVER_ERROR',
  'UNAVAILABLE',
  'TIMEOUT',
]);

const MAX_ATTEMPTS = 4;
const INITIAL_BACKOFF_MS = 200;

/**
 * No attempt starts later than this after the first, ms: what the caller confirmed before it asked for a write (the Node
 * is still dead) must not grow old here. Longer trouble is for the next pass, which confirms everything afresh.
 */
const WINDOW_MS = 5_000;

/** What retrying needs from outside. */
export interface RetryPorts {
  readonly clock: Clock;
  /** In [0, 1). */
  readonly random: () => number;
  readonly logger: Logger;
}

/**
 * Runs `attempt`, up to 4 times within 5 s, with doubling back-off under full jitter and never before the server's
 * Retry-After. An attempt re-reads before it writes, because an earlier one may have been carried out unseen.
 * @throws whatever the last attempt threw; `signal.reason` when aborted.
 */
export async function retryTransient<T>(
  operation: string,
  attempt: () => Promise<T>,
  { clock, random, logger }: RetryPorts,
  signal: AbortSignal,
): Promise<T> {
  const giveUpAtMs = clock.now() + WINDOW_MS;
  for (let number = 1; ; number++) {
    try {
      return await attempt();
    } catch (err) {
      signal.throwIfAborted();
      if (!(err instanceof KubeApiError) || !TRANSIENT.has(err.code) || number === MAX_ATTEMPTS) throw err;
      const delayMs = (err.retryAfterMs ?? 0) + random() * INITIAL_BACKOFF_MS * 2 ** (number - 1);
      if (clock.now() + delayMs > giveUpAtMs) throw err;
      logger.warn('Failed Kubernetes request was scheduled again', {
        operation,
        attempt: number,
        code: err.code,
        delayMs,
      });
      await delay(clock, delayMs, signal);
    }
  }
}
