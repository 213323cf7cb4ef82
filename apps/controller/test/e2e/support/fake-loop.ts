import type { ClusterMirror } from './cluster-mirror.ts';

/**
 * Runs `pass` after each change of the cluster and at least every `intervalMs`, one at a time. A pass that fails is tried
 * again with the next occasion, as controllers do.
 */
export class FakeLoop implements AsyncDisposable {
  readonly #pass: () => Promise<void>;
  readonly #subscription: Disposable;
  readonly #timer: NodeJS.Timeout;
  #running: Promise<void> | undefined;
  #again = false;
  #stopped = false;

  constructor(mirror: ClusterMirror, intervalMs: number, pass: () => Promise<void>) {
    this.#pass = pass;
    this.#subscription = mirror.onChange(() => this.#wake());
    this.#timer = setInterval(() => this.#wake(), intervalMs);
    this.#wake();
  }

  /** Settles when the pass in progress has ended; none starts afterwards. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#stopped = true;
    clearInterval(this.#timer);
    this.#subscription[Symbol.dispose]();
    await this.#running;
  }

  #wake(): void {
    this.#again = true;
    this.#running ??= this.#run().finally(() => {
      this.#running = undefined;
    });
  }

  async #run(): Promise<void> {
    while (this.#again && !this.#stopped) {
      this.#again = false;
      await this.#pass().catch(() => undefined);
    }
  }
}
