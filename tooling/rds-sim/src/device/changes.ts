/**
 * Announces changes of whatever decides which packets pass: rules, lists, settings, power, cuts. Idle traffic is computed
 * when it is needed, so it must be computed up to now before such a change, and judged again after it.
 */
export class Changes {
  /** Grows with every change: a judgement of an earlier version is out of date. */
  version = 0;
  #before: () => void = () => undefined;
  #after: () => void = () => undefined;
  #isChanging = false;

  /** @param before brings the traffic up to date. @param after looks at the new state. */
  listen(before: () => void, after: () => void): void {
    this.#before = before;
    this.#after = after;
  }

  /** Brings the traffic up to date, for a reader of counters or entries. */
  settle(): void {
    if (!this.#isChanging) this.#before();
  }

  apply<T>(change: () => T): T {
    if (this.#isChanging) return change();
    this.#before();
    this.#isChanging = true;
    try {
      return change();
    } finally {
      this.#isChanging = false;
      this.version += 1;
      this.#after();
    }
  }
}
