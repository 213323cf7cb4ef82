/**
 * Serialises work by key. Invariants: tasks of one key never overlap and run in the order they were asked for; tasks of
 * different keys do not wait for each other; a key that is not held takes no memory.
 */
export class KeyedLock {
  /** Held keys, each with the wake-ups of those who wait for it, first come first. */
  readonly #waiting = new Map<string, Set<() => void>>();

  /** How many keys are held; 0 when nothing runs. */
  get size(): number {
    return this.#waiting.size;
  }

  /** A task of `key` is running or about to. */
  isHeld(key: string): boolean {
    return this.#waiting.has(key);
  }

  /**
   * Runs `task` once every earlier task of `key` has settled.
   * @throws `signal.reason` when aborted before `task` starts, which then never does; else whatever `task` throws.
   */
  async run<T>(key: string, task: () => Promise<T>, signal: AbortSignal): Promise<T> {
    await this.#acquire(key, signal);
    try {
      signal.throwIfAborted(); // aborted between being woken and getting here
      return await task();
    } finally {
      this.#release(key);
    }
  }

  async #acquire(key: string, signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    const queue = this.#waiting.get(key);
    if (!queue) {
      this.#waiting.set(key, new Set());
      return;
    }
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const onAbort = () => {
      queue.delete(resolve);
      reject(signal.reason);
    };
    queue.add(resolve);
    signal.addEventListener('abort', onAbort, { once: true });
    try {
      await promise;
    } finally {
      signal.removeEventListener('abort', onAbort);
    }
  }

  /** Hands the key to the next in the queue without freeing it, so that no other caller gets it in between. */
  #release(key: string): void {
    const queue = this.#waiting.get(key);
    for (const wake of queue ?? []) {
      queue?.delete(wake);
      wake();
      return;
    }
    this.#waiting.delete(key);
  }
}
