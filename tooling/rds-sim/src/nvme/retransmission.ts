import type { Clock } from '@reattach/core';

/** Linux repeats an unacknowledged segment after 0.2 s, 0.4 s, 0.8 s and so on, up to 2 minutes, 15 times. */
const FIRST_PAUSE_MS = 200;
const LONGEST_PAUSE_MS = 120_000;
const ATTEMPTS = 15;

/** Repeats what one side of a connection sent until the other acknowledges it. */
export class Retransmission implements Disposable {
  readonly #clock: Clock;
  readonly #repeat: () => boolean;
  #timer: Disposable | undefined;

  /** @param repeat sends it once more; whether it was acknowledged. */
  constructor(clock: Clock, repeat: () => boolean) {
    this.#clock = clock;
    this.#repeat = repeat;
  }

  get isRunning(): boolean {
    return this.#timer !== undefined;
  }

  /** Begins, unless it runs already. @param sentAtMs when the segment was sent first. */
  start(sentAtMs: number = this.#clock.now()): void {
    if (!this.#timer) this.#schedule(sentAtMs, 0);
  }

  stop(): void {
    this.#timer?.[Symbol.dispose]();
    this.#timer = undefined;
  }

  [Symbol.dispose](): void {
    this.stop();
  }

  #schedule(sinceMs: number, attempt: number): void {
    if (attempt === ATTEMPTS) return;
    const dueMs = sinceMs + Math.min(FIRST_PAUSE_MS * 2 ** attempt, LONGEST_PAUSE_MS);
    this.#timer = this.#clock.after(dueMs - this.#clock.now(), () => {
      this.#timer = undefined;
      if (!this.#repeat() && !this.#timer) this.#schedule(dueMs, attempt + 1);
    });
  }
}
