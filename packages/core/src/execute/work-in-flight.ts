const NONE: ReadonlySet<string> = new Set();

/**
 * Work that may outlast the pass that began it, by key.
 *
 * Invariants: under one key there is one piece of work at a time; every outcome is taken exactly once; nothing that was begun is
 * forgotten by `settled()`.
 */
export class WorkInFlight<T> {
  readonly #limit: number;
  readonly #onEnd: () => void;
  readonly #running = new Map<string, Promise<void>>();
  #results: T[] = [];
  #failures: unknown[] = [];

  /**
   * @param limit how many pieces may be under way at once; default no limit
   * @param onEnd called after each end, when its outcome can be taken
   */
  constructor(limit: number = Number.POSITIVE_INFINITY, onEnd: () => void = () => undefined) {
    this.#limit = limit;
    this.#onEnd = onEnd;
  }

  get keys(): ReadonlySet<string> {
    return new Set(this.#running.keys());
  }

  has(key: string): boolean {
    return this.#running.has(key);
  }

  /** @returns `false` when nothing was begun: there is work under this key, or as much as there may be. */
  begin(key: string, work: () => Promise<T>): boolean {
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

  /** Resolves once nothing is under way. */
  async settled(): Promise<void> {
    while (this.#running.size > 0) await this.ended(NONE);
  }

  /** Resolves once what is under way now has ended, but work under the keys of `except`, which is not waited for. */
  async ended(except: ReadonlySet<string>): Promise<void> {
    await Promise.all([...this.#running].flatMap(([key, ended]) => (except.has(key) ? [] : [ended])));
  }

  async #run(work: () => Promise<T>): Promise<void> {
    try {
      const result = await work();
      this.#results.push(result); // not in one: `take()` may have been called meanwhile
    } catch (err) {
      this.#failures.push(err);
    }
  }
}
