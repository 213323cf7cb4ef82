import { WorkInFlight } from '../execute/work-in-flight.ts';

/** The outcome of one run of a key. */
export interface WorkResult {
  readonly key: string;
  /** When the key must run again, epoch ms; infinite when nothing is pending. */
  readonly nextDeadlineMs: number;
}

/**
 * A work queue by key, in the terms of client-go: a key runs once at a time, and a key that is added while it is in flight is dirty
 * and runs once more. A run may outlast the pass that started it. Every result is taken exactly once.
 */
export class WorkQueue<T extends WorkResult> {
  readonly #work: WorkInFlight<T>;
  /** In flight, and added again meanwhile: the run may have read the facts before they changed. */
  readonly #dirty = new Set<string>();
  readonly #latest = new Map<string, T>();
  readonly #dueMs = new Map<string, number>();
  #ended: T[] = [];
  #failures: unknown[] = [];

  /** @param onEnd called after each run, when its result can be collected */
  constructor(onEnd?: () => void) {
    this.#work = new WorkInFlight<T>(undefined, onEnd);
  }

  /** Keys that run now. */
  get inFlight(): ReadonlySet<string> {
    return this.#work.inFlight;
  }

  /** The latest collected result of each key. */
  get latest(): ReadonlyMap<string, T> {
    return this.#latest;
  }

  /** The earliest moment at which a key that is not in flight is due, epoch ms; infinite when none is. */
  get nextDeadlineMs(): number {
    return Math.min(...this.#dueMs.values());
  }

  /** A key that has never run is due. */
  isDue(key: string, nowMs: number): boolean {
    return (this.#dueMs.get(key) ?? nowMs) <= nowMs;
  }

  /** Schedules a run no later than `delayMs` after `nowMs`. If one is in flight, another follows it. */
  addAfter(key: string, delayMs: number, nowMs: number): void {
    if (this.#work.has(key)) this.#dirty.add(key);
    else this.#dueMs.set(key, Math.min(nowMs + delayMs, this.#dueMs.get(key) ?? Number.POSITIVE_INFINITY));
  }

  /** Runs `work` now. @returns `false` when the key is in flight: it runs again afterwards. */
  start(key: string, work: () => Promise<T>): boolean {
    const isStarted = this.#work.start(key, work);
    if (isStarted) this.#dueMs.set(key, Number.POSITIVE_INFINITY);
    else this.#dirty.add(key);
    return isStarted;
  }

  /** Collects the results of runs that have ended, and schedules what is dirty. */
  collect(nowMs: number): void {
    const { results, failures } = this.#work.take();
    for (const result of results) {
      this.#latest.set(result.key, result);
      this.#dueMs.set(result.key, this.#dirty.delete(result.key) ? nowMs : result.nextDeadlineMs);
    }
    this.#ended.push(...results);
    this.#failures.push(...failures);
  }

  /** What was collected since the last call. */
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

  /** Drops everything except what is in flight. */
  reset(): void {
    this.#work.take();
    this.take();
    this.#latest.clear();
    this.#dueMs.clear();
    this.#dirty.clear();
  }
}
