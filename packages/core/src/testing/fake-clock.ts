import type { Clock } from '../ports/clock.ts';

interface Timer {
  readonly dueMs: number;
  readonly order: number;
  readonly fn: () => void;
}

/** Enough microtask turns for the promise chains a timer starts to settle. */
const SETTLE_TURNS = 50;

/** A clock that moves only when it is advanced. */
export class FakeClock implements Clock {
  #nowMs: number;
  #order = 0;
  readonly #timers = new Set<Timer>();

  /** @param startMs epoch ms; default 2026-01-01T00:00:00Z. */
  constructor(startMs = 1_767_225_600_000) {
    this.#nowMs = startMs;
  }

  now(): number {
    return this.#nowMs;
  }

  after(delayMs: number, fn: () => void): Disposable {
    const timer: Timer = { dueMs: this.#nowMs + Math.max(delayMs, 0), order: this.#order++, fn };
    this.#timers.add(timer);
    return { [Symbol.dispose]: () => void this.#timers.delete(timer) };
  }

  /** Timers that have neither fired nor been disposed: 0 at the end of a test that leaks none. */
  get pendingTimers(): number {
    return this.#timers.size;
  }

  /** Moves time on by `deltaMs`, firing each due timer at its own time and letting promises settle after each. */
  async advance(deltaMs: number): Promise<void> {
    const endMs = this.#nowMs + deltaMs;
    await settle();
    for (let next = this.#next(endMs); next; next = this.#next(endMs)) {
      this.#timers.delete(next);
      this.#nowMs = Math.max(this.#nowMs, next.dueMs);
      next.fn();
      await settle();
    }
    this.#nowMs = endMs;
    await settle();
  }

  #next(endMs: number): Timer | undefined {
    let next: Timer | undefined;
    for (const timer of this.#timers) {
      if (timer.dueMs > endMs) continue;
      if (!next || timer.dueMs < next.dueMs || (timer.dueMs === next.dueMs && timer.order < next.order)) {
        next = timer;
      }
    }
    return next;
  }
}

/** Lets promise chains settle without moving time. */
export async function settle(): Promise<void> {
  for (let turn = 0; turn < SETTLE_TURNS; turn++) await Promise.resolve();
}
