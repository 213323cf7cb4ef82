/** Time as a port: the only way `core` learns what time it is or waits. */
export interface Clock {
  /** Epoch ms. Never steps: periods measured with it hold although the machine's clock is set. */
  now(): number;
  /** Calls `fn` once after `delayMs`; disposing cancels it. Never calls `fn` synchronously. */
  after(delayMs: number, fn: () => void): Disposable;
}

/** Longest delay a JavaScript timer holds, ms (2^31 - 1); a longer one would fire at once. */
const MAX_TIMER_MS = 2_147_483_647;

/**
 * The machine's wall-clock time at the start of the process, and from there on its monotonic clock, so that setting the clock
 * neither shortens nor prolongs a grace. Its timers keep the process alive until they
 * fire or are disposed.
 */
export const systemClock: Clock = {
  now: () => Math.round(performance.timeOrigin + performance.now()),
  after(delayMs, fn) {
    const timer = setTimeout(fn, Math.min(Math.max(delayMs, 0), MAX_TIMER_MS));
    return { [Symbol.dispose]: () => clearTimeout(timer) };
  },
};

/**
 * Resolves after `delayMs` of `clock` time.
 * @throws `signal.reason` when `signal` aborts first.
 */
export async function delay(clock: Clock, delayMs: number, signal: AbortSignal): Promise<void> {
  signal.throwIfAborted();
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const onAbort = () => reject(signal.reason);
  signal.addEventListener('abort', onAbort, { once: true });
  using _timer = clock.after(delayMs, resolve);
  try {
    await promise;
  } finally {
    signal.removeEventListener('abort', onAbort);
  }
}
