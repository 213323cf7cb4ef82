import type { Clock } from '@reattach/core';

/**
 * A signal that aborts when `touch()` was not called for `idleTimeoutMs`, or when `parent` aborts. Disposing stops the
 * timer and takes the listener off the parent.
 */
export class IdleWatchdog implements Disposable {
  readonly #clock: Clock;
  readonly #idleTimeoutMs: number;
  readonly #parent: AbortSignal;
  readonly #controller = new AbortController();
  #touchedAtMs: number;
  #expired = false;
  #timer: Disposable;

  constructor(clock: Clock, idleTimeoutMs: number, parent: AbortSignal) {
    this.#clock = clock;
    this.#idleTimeoutMs = idleTimeoutMs;
    this.#parent = parent;
    this.#touchedAtMs = clock.now();
    this.#timer = clock.after(idleTimeoutMs, this.#check);
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

  /** There was life. Costs no timer: the running one looks at it when it fires. */
  touch(): void {
    this.#touchedAtMs = this.#clock.now();
  }

  [Symbol.dispose](): void {
    this.#timer[Symbol.dispose]();
    this.#parent.removeEventListener('abort', this.#onParentAbort);
  }

  readonly #onParentAbort = (): void => {
    this.#controller.abort(this.#parent.reason);
  };

  readonly #check = (): void => {
    const leftMs = this.#touchedAtMs + this.#idleTimeoutMs - this.#clock.now();
    if (leftMs > 0) {
      this.#timer = this.#clock.after(leftMs, this.#check);
      return;
    }
    this.#expired = true;
    this.#controller.abort(new Error(`Nothing arrived for ${this.#idleTimeoutMs} ms`));
  };
}
