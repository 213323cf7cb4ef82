import type { Clock } from '@reattach/core';
import type { LeaderLease } from './leader-lease.ts';

/**
 * Tells when another replica's claim has run out: once it was seen unchanged for as long as it lasts. That is measured with
 * a timer, from when *we* first saw it: neither the holder's clock nor a step of our own wall clock can shorten it.
 */
export class LeaseObserver implements Disposable {
  readonly #clock: Clock;
  readonly #defaultDurationMs: number;
  #fingerprint: string | undefined;
  #timer: Disposable | undefined;
  #onExpired: () => void = () => undefined;

  /** @param defaultDurationMs for a holder that does not say how long its claim lasts */
  constructor(clock: Clock, defaultDurationMs: number) {
    this.#clock = clock;
    this.#defaultDurationMs = defaultDurationMs;
  }

  /** Called when a claim runs out; replaces an earlier callback. */
  set onExpired(callback: () => void) {
    this.#onExpired = callback;
  }

  /**
   * Takes in the Lease as it is now. A Lease that vanished ends no claim, because its holder may not know yet.
   * @returns whether `identity` may claim it
   */
  mayClaim(lease: LeaderLease | undefined, identity: string): boolean {
    if (lease === undefined) return this.#timer === undefined;
    if (lease.fingerprint !== this.#fingerprint) {
      this.#fingerprint = lease.fingerprint;
      this.#timer?.[Symbol.dispose]();
      this.#timer = undefined;
      if (lease.holder !== undefined && lease.holder !== identity) this.#start(lease);
    }
    return this.#timer === undefined;
  }

  [Symbol.dispose](): void {
    this.#timer?.[Symbol.dispose]();
    this.#timer = undefined;
    this.#fingerprint = undefined; // looked at again, the claim lasts its whole time again
  }

  #start({ durationMs = this.#defaultDurationMs }: LeaderLease): void {
    this.#timer = this.#clock.after(durationMs, () => {
      this.#timer = undefined;
      this.#onExpired();
    });
  }
}
