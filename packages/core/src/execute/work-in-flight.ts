const NONE: ReadonlySet<string> = new Set();

/**
 * Work by key that may outlast the pass that started it.
 *
 * Invariants: one piece of work runs under a key at a time; every outcome is taken exactly once; `settled()` waits for everything
 * that was started.
 */
export class WorkInFlight<T> {
  readonly #limit: number;
  readonly #onEnd: () => void;
  readonly #running = new Map<string, Promise<void>>();
  #results: T[] = [];
  #failures: unknown[] = [];

  /**
   * @param limit how many pieces of work may run at once; default no limit
   * @param onEnd called after each end, when its outcome can be taken
   */
  constructor(limit: number = Number.POSITIVE_INFINITY, onEnd: () => void = () => undefined) {
    this.#limit = limit;
    this.#onEnd = onEnd;
  }

  /** Keys that run now. */
  get inFlight(): ReadonlySet<string> {
    return new Set(this.#running.keys());
  }

  has(key: string): boolean {
    return this.#running.has(key);
  }

  /** @returns `false` when nothing was started: the key is in flight, or the limit is reached. */
  start(key: string, work: () => Promise<T>): boolean {
    if (this.#running.has(key) || this.#running.size >= this.#limit) return false;
    const ended = this.#run(work).finally(() => {
      this.#running.delete(key);
      this.#onEnd();
    });
    this.#running.set(key, ended);
    return true;
  }

  /** What has ended since the last call, in the order of its ends. */
  take(): { readonly results: readonly T[]; readonly failures: readonly unknown[] } {
    const taken = { results: this.#results, failures: this.#failures };
    this.#results = [];
    this.#failures = [];
    return taken;
  }

  /** Resolves once nothing is in flight. */
  async settled(): Promise<void> {
    while (this.#running.size > 0) await this.ended(NONE);
  }

  /** Resolves once everything in flight now has ended, the keys of `except` not included. */
  async ended(except: ReadonlySet<string>): Promise<void> {
    await Promise.all([...this.#running].flatMap(([key, ended]) => (except.has(key) ? [] : [ended])));
  }

  async #run(work: () => Promise<T>): Promise<void> {
    try {
      const result = await work();
      this.#results.push(result); // two statements, because `take()` may replace the array during the await
    } catch (err) {
      this.#failures.push(err);
    }
  }
}
