/** Disposes resources in reverse order and names those that it has not disposed yet. */
export class Teardown implements AsyncDisposable {
  readonly #resources: { readonly name: string; readonly dispose: () => void | PromiseLike<void> }[] = [];
  readonly #failed: string[] = [];

  /** Takes ownership of `resource`. */
  use<T extends AsyncDisposable>(name: string, resource: T): T {
    this.defer(name, () => resource[Symbol.asyncDispose]());
    return resource;
  }

  /** Runs `dispose` after everything that was added later has been disposed. A failure does not stop the others. */
  defer(name: string, dispose: () => void | PromiseLike<void>): void {
    this.#resources.push({ name, dispose });
  }

  /** Names of what has not been disposed, the next one first. */
  get pending(): readonly string[] {
    return [...this.#resources.map(({ name }) => name).toReversed(), ...this.#failed];
  }

  /** @throws the failure of a resource, or an AggregateError of several, once every resource had its turn */
  async [Symbol.asyncDispose](): Promise<void> {
    const errors: unknown[] = [];
    for (let last = this.#resources.at(-1); last; last = this.#resources.at(-1)) {
      try {
        await last.dispose();
      } catch (err) {
        errors.push(err);
        this.#failed.push(last.name);
      }
      this.#resources.splice(this.#resources.indexOf(last), 1);
    }
    if (errors.length === 1) throw errors[0];
    if (errors.length > 1) throw new AggregateError(errors, 'Several resources could not be disposed');
  }
}
