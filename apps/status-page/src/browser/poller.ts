import type { Clock } from '@reattach/core';

export interface PollerOptions<T> {
  readonly read: (signal: AbortSignal) => Promise<T>;
  readonly clock: Clock;
  /** Pause between an answer and the next question, ms. */
  readonly intervalMs: number;
  /** A question that is not answered by then has failed, ms. */
  readonly timeoutMs: number;
  /** Called after every answer and every failure. */
  readonly onChange: () => void;
}

/** The last answer and what has happened since. */
export interface Polled<T> {
  readonly answer?: { readonly value: T; readonly atMs: number };
  /** The last question was not answered: why. */
  readonly failure?: string;
}

/** An answer that took long was much to compute, send and show: the pause is at least this many times as long. */
const REST_FACTOR = 3;
const MAX_REST_MS = 10_000;

/** Asks again and again, one question at a time; a failure never ends it and never discards the last answer. */
export class Poller<T> {
  readonly #options: PollerOptions<T>;
  #polled: Polled<T> = {};
  #timer: Disposable | undefined;
  #isAsking = false;

  constructor(options: PollerOptions<T>) {
    this.#options = options;
  }

  get polled(): Polled<T> {
    return this.#polled;
  }

  /** Asks now, unless a request is in flight. Starts the polling. */
  async ask(): Promise<void> {
    if (this.#isAsking) return;
    this.#isAsking = true;
    this.#timer?.[Symbol.dispose]();
    const { clock, intervalMs, onChange } = this.#options;
    const startedAtMs = clock.now();
    this.#polled = await this.#read();
    this.#isAsking = false;
    const tookMs = clock.now() - startedAtMs;
    const restMs = this.#polled.failure === undefined ? Math.min(REST_FACTOR * tookMs, MAX_REST_MS) : 0;
    this.#timer = clock.after(Math.max(intervalMs, restMs), () => void this.ask());
    onChange();
  }

  async #read(): Promise<Polled<T>> {
    const { read, clock, timeoutMs } = this.#options;
    const timeout = new AbortController();
    const why = `No answer within ${timeoutMs / 1_000} s`;
    const timer = clock.after(timeoutMs, () => timeout.abort(new Error(why)));
    try {
      const value = await read(timeout.signal);
      return { answer: { value, atMs: clock.now() } };
    } catch (err) {
      const failure = err instanceof Error ? err.message : String(err);
      return { ...this.#polled, failure };
    } finally {
      timer[Symbol.dispose]();
    }
  }
}
