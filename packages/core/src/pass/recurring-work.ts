import { WorkInFlight } from '../execute/work-in-flight.ts';

/** What one run came to. */
export interface Run {
  readonly key: string;
  /** When it is to be run again, epoch ms; infinite when nothing is waited for. */
  readonly nextDeadlineMs: number;
}

/**
 * Work that is run again and again under a key and may outlast the pass that began it: when each is due, and what it last came to.
 *
 * Invariants: a key is under way once at a time; what became due while it was under way is run once more after its end; each run
 * that has ended is reported exactly once.
 */
export class RecurringWork<T extends Run> {
  readonly #work: WorkInFlight<T>;
  /** Under way, and due again meanwhile. */
  readonly #overtaken = new Set<string>();
  readonly #latest = new Map<string, T>();
  readonly #dueMs = new Map<string, number>();
  #ended: T[] = [];
  #failures: unknown[] = [];

  /** @param onEnd see {@link WorkInFlight} */
  constructor(onEnd?: () => void) {
    this.#work = new WorkInFlight<T>(undefined, onEnd);
  }

  get keys(): ReadonlySet<string> {
    return this.#work.keys;
  }

  /** What each key last came to. */
  get latest(): ReadonlyMap<string, T> {
    return this.#latest;
  }

  /** The earliest moment at which something is due that is not under way; infinite when nothing is. */
  get nextDeadlineMs(): number {
    return Math.min(...this.#dueMs.values());
  }

  /** What has never been run is due. */
  isDue(key: string, nowMs: number): boolean {
    return (this.#dueMs.get(key) ?? nowMs) <= nowMs;
  }

  /** Has it run at `atMs`, if not before, or, when it is under way, once more after its end: it may have looked before. */
  makeDue(key: string, atMs: number): void {
    if (this.#work.has(key)) this.#overtaken.add(key);
    else this.#dueMs.set(key, Math.min(atMs, this.#dueMs.get(key) ?? atMs));
  }

  /** @returns `false` when it is under way: then it is due again after its end. */
  begin(key: string, work: () => Promise<T>): boolean {
    const isBegun = this.#work.begin(key, work);
    if (isBegun) this.#dueMs.set(key, Number.POSITIVE_INFINITY);
    else this.#overtaken.add(key);
    return isBegun;
  }

  /** Takes record of what has ended. */
  update(nowMs: number): void {
    const { results, failures } = this.#work.take();
    for (const run of results) {
      this.#latest.set(run.key, run);
      this.#dueMs.set(run.key, this.#overtaken.delete(run.key) ? nowMs : run.nextDeadlineMs);
    }
    this.#ended.push(...results);
    this.#failures.push(...failures);
  }

  /** What was taken record of since the last call. */
  take(): { readonly results: readonly T[]; readonly failures: readonly unknown[] } {
    const taken = { results: this.#ended, failures: this.#failures };
    this.#ended = [];
    this.#failures = [];
    return taken;
  }

  /** @see WorkInFlight.ended */
  ended(except: ReadonlySet<string>): Promise<void> {
    return this.#work.ended(except);
  }

  /** @see WorkInFlight.settled */
  settled(): Promise<void> {
    return this.#work.settled();
  }

  /** Forgets everything but what is under way. */
  reset(): void {
    this.#work.take();
    this.take();
    this.#latest.clear();
    this.#dueMs.clear();
    this.#overtaken.clear();
  }
}
