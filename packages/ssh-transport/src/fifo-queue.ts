import { unlessAborted } from './unless-aborted.ts';

/** Runs tasks one at a time in the order they were asked for. */
export class FifoQueue {
  #tail: Promise<unknown> = Promise.resolve();

  /**
   * A task whose signal aborts before its turn never runs; one that has begun keeps its place until it settles, while
   * its caller is released at once.
   * @throws whatever `task` throws, or `signal.reason`
   */
  async run<T>(task: () => Promise<T>, signal: AbortSignal): Promise<T> {
    signal.throwIfAborted();
    const turn = this.#tail.then(() => {
      signal.throwIfAborted();
      return task();
    });
    this.#tail = turn.catch(() => undefined);
    return await unlessAborted(turn, signal);
  }
}
