/**
 * Remembers since when Nodes have been missing: the API server does not say when a Node was deleted, so its grace
 * counts from the first look that missed it. Forgotten with the process, which starts the grace anew.
 */
export class NodeAbsence {
  readonly #firstSeenMs = new Map<string, number>();

  /** Notes that `name` is missing at `nowMs`. @returns since when it has been, epoch ms. */
  record(name: string, nowMs: number): number {
    const known = this.#firstSeenMs.get(name);
    if (known !== undefined) return known;
    this.#firstSeenMs.set(name, nowMs);
    return nowMs;
  }

  /** Since when `name` has been missing, as far as was recorded. */
  sinceMs(name: string): number | undefined {
    return this.#firstSeenMs.get(name);
  }

  /** The Node is there: its next absence is a new one. */
  forget(name: string): void {
    this.#firstSeenMs.delete(name);
  }

  /** Forgets every other name, so that memory is bounded by what is still of interest. */
  retainOnly(names: ReadonlySet<string>): void {
    for (const name of this.#firstSeenMs.keys()) {
      if (!names.has(name)) this.#firstSeenMs.delete(name);
    }
  }
}
