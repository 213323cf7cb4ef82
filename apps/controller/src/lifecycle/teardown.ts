/** Disposes resources in reverse order and can say which ones it has not disposed yet. */
export class Teardown implements AsyncDisposable {
  readonly #stack = new AsyncDisposableStack();
  readonly #names: string[] = [];

  /** Takes `resource` over. */
  use<T extends AsyncDisposable>(name: string, resource: T): T {
    this.defer(name, () => resource[Symbol.asyncDispose]());
    return resource;
  }

  /** Runs `dispose` when its turn comes. A failure does not keep the others from their turn. */
  defer(name: string, dispose: () => void | PromiseLike<void>): void {
    this.#names.push(name);
    this.#stack.defer(async () => {
      await dispose();
      this.#names.splice(this.#names.lastIndexOf(name), 1);
    });
  }

  /** Names of what has not been disposed, the next one first. */
  get pending(): readonly string[] {
    return this.#names.toReversed();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#stack.disposeAsync();
  }
}
