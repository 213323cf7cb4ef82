import type { Clock } from '@reattach/core';

/** Something that is due at a moment of virtual time. */
interface Timer {
  readonly dueMs: number;
  readonly order: number;
  readonly fn: () => void;
  /** Promises may settle because of it: they get their turn before the next timer. */
  readonly wakesPromises: boolean;
  disposed: boolean;
}

/**
 * Virtual time: a queue of timers that jumps from one to the next. Timers of one moment fire in the order in which they were
 * set, so a run depends on its inputs alone. `after` is for code that ends synchronously, as the simulated world does;
 * `afterWaking` is for everything that settles a promise.
 */
export class SimulationClock implements Clock {
  #nowMs: number;
  #order = 0;
  #pending = 0;
  /** A binary heap by due time, then order. */
  readonly #heap: Timer[] = [];

  /** @param startMs epoch ms; default 2026-01-01T00:00:00Z. */
  constructor(startMs = 1_767_225_600_000) {
    this.#nowMs = startMs;
  }

  now(): number {
    return this.#nowMs;
  }

  after(delayMs: number, fn: () => void): Disposable {
    return this.#add(delayMs, fn, false);
  }

  /** As `after`; the promises that `fn` settles are run before time moves on. */
  afterWaking(delayMs: number, fn: () => void): Disposable {
    return this.#add(delayMs, fn, true);
  }

  /** Timers that have neither fired nor been disposed. */
  get pendingTimers(): number {
    return this.#pending;
  }

  /** Fires everything that is due until `untilMs`, epoch ms, and moves there. Stops early once `stop` says so. */
  async runUntil(untilMs: number, stop: () => boolean = () => false): Promise<void> {
    await settled();
    for (let timer = this.#take(untilMs); timer; timer = this.#take(untilMs)) {
      this.#nowMs = Math.max(this.#nowMs, timer.dueMs);
      timer.fn();
      if (timer.wakesPromises) await settled();
      if (stop()) return;
    }
    this.#nowMs = Math.max(this.#nowMs, untilMs);
  }

  /** Moves on by `deltaMs`. */
  advance(deltaMs: number): Promise<void> {
    return this.runUntil(this.#nowMs + deltaMs);
  }

  #add(delayMs: number, fn: () => void, wakesPromises: boolean): Disposable {
    const dueMs = this.#nowMs + Math.max(delayMs, 0);
    const timer: Timer = { dueMs, order: this.#order++, fn, wakesPromises, disposed: false };
    this.#pending += 1;
    this.#push(timer);
    return {
      [Symbol.dispose]: () => {
        if (timer.disposed) return;
        timer.disposed = true;
        this.#pending -= 1;
      },
    };
  }

  /** The next timer that is due; it counts as disposed from now on. */
  #take(untilMs: number): Timer | undefined {
    for (let top = this.#heap[0]; top; top = this.#heap[0]) {
      if (!top.disposed && top.dueMs > untilMs) return undefined;
      this.#pop();
      if (top.disposed) continue;
      top.disposed = true;
      this.#pending -= 1;
      return top;
    }
    return undefined;
  }

  #push(timer: Timer): void {
    const heap = this.#heap;
    let index = heap.push(timer) - 1;
    while (index > 0) {
      const parent = (index - 1) >> 1;
      const above = heap[parent];
      if (!above || isBefore(above, timer)) break;
      heap[index] = above;
      index = parent;
    }
    heap[index] = timer;
  }

  #pop(): void {
    const heap = this.#heap;
    const last = heap.pop();
    if (!last || heap.length === 0) return;
    let index = 0;
    for (;;) {
      let child = 2 * index + 1;
      const [left, right] = [heap[child], heap[child + 1]];
      if (!left) break;
      let least = left;
      if (right && isBefore(right, left)) {
        child += 1;
        least = right;
      }
      if (isBefore(last, least)) break;
      heap[index] = least;
      index = child;
    }
    heap[index] = last;
  }
}

function isBefore(a: Timer, b: Timer): boolean {
  return a.dueMs < b.dueMs || (a.dueMs === b.dueMs && a.order < b.order);
}

/** Resolves once every promise chain that can go on has done so: no I/O is real, so nothing else is left to wait for. */
function settled(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve);
  });
}
