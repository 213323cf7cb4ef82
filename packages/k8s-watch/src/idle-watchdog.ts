import type { Clock } from '@reattach/core';

/** How long silence may last, ms. */
export interface IdleLimits {
  /** Before the first `touch()`. */
  readonly firstMs: number;
  /** After it. */
  readonly idleMs: number;
}

/**
 * A signal that aborts when `touch()` was not called for too long, or when `parent` aborts. Disposing stops the timer and
 * takes the listener off the parent.
 */
export class IdleWatchdog implements Disposable {
  readonly #clock: Clock;
  readonly #idleMs: number;
  readonly #parent: AbortSignal;
  readonly #controller = new AbortController();
  #deadlineMs: number;
  #expired = false;
  #timer: Disposable;

  constructor(clock: Clock, { firstMs, idleMs }: IdleLimits, parent: AbortSignal) {
    this.#clock = clock;
    this.#idleMs = idleMs;
    this.#parent = parent;
    this.#deadlineMs = clock.now() + firstMs;
    this.#timer = clock.after(firstMs, this.#check);
    parent.addEventListener('abort', this.#onParentAbort, { once: true });
    if (parent.aborted) this.#onParentAbort();
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  /** The time ran out; `signal` is aborted for that reason. */
  get expired(): boolean {
    return this.#expired;
  }

  /** Records activity. Does not restart the timer. */
  touch(): void {
    this.#deadlineMs = this.#clock.now() + this.#idleMs;
  }

  [Symbol.dispose](): void {
    this.#timer[Symbol.dispose]();
    this.#parent.removeEventListener('abort', this.#onParentAbort);
  }

  readonly #onParentAbort = (): void => {
    this.#controller.abort(this.#parent.reason);
  };

  readonly #check = (): void => {
    const leftMs = this.#deadlineMs - this.#clock.now();
    if (leftMs > 0) {
      this.#timer = this.#clock.after(leftMs, this.#check);
      return;
    }
    this.#expired = true;
    this.#controller.abort(new Error('Nothing arrived for too long'));
  };
}
