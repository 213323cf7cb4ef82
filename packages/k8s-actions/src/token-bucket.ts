/** Allows bursts of `capacity` and one more each `refillMs`; starts full. Time is handed in as epoch ms. */
export class TokenBucket {
  readonly #capacity: number;
  readonly #refillMs: number;
  #tokens: number;
  #filledAtMs: number;

  constructor(capacity: number, refillMs: number, nowMs: number) {
    this.#capacity = capacity;
    this.#refillMs = refillMs;
    this.#tokens = capacity;
    this.#filledAtMs = nowMs;
  }

  /** Takes a token if there is one. */
  take(nowMs: number): boolean {
    const elapsedMs = Math.max(nowMs - this.#filledAtMs, 0); // the wall clock may step back
    this.#tokens = Math.min(this.#tokens + elapsedMs / this.#refillMs, this.#capacity);
    this.#filledAtMs = nowMs;
    if (this.#tokens < 1) return false;
    this.#tokens--;
    return true;
  }
}
