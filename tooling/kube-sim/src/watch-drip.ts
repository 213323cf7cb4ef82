import type { Writable } from 'node:stream';
import type { Clock } from '@reattach/core';

/** One byte a tenth of a second: an event of a few hundred bytes takes minutes. */
const INTERVAL_MS = 100;

/** Lets bytes trickle into a stream by clock time. What is still due at disposal, or when the stream ends, is lost. */
export class WatchDrip implements Disposable {
  readonly #stream: Writable;
  readonly #clock: Clock;
  #due: Buffer = Buffer.alloc(0);
  #timer: Disposable | undefined;

  constructor(stream: Writable, clock: Clock) {
    this.#stream = stream;
    this.#clock = clock;
  }

  write(text: string): void {
    this.#due = Buffer.concat([this.#due, Buffer.from(text)]);
    this.#timer ??= this.#clock.after(INTERVAL_MS, () => this.#next());
  }

  [Symbol.dispose](): void {
    this.#timer?.[Symbol.dispose]();
    this.#due = Buffer.alloc(0);
  }

  #next(): void {
    this.#timer = undefined;
    if (this.#stream.writableEnded) return;
    this.#stream.write(this.#due.subarray(0, 1));
    this.#due = this.#due.subarray(1);
    if (this.#due.length > 0) this.#timer = this.#clock.after(INTERVAL_MS, () => this.#next());
  }
}
