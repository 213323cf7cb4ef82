import type { Clock } from '@reattach/core';
import type { SimulationClock } from './simulation-clock.ts';

interface Timer {
  readonly fn: () => void;
  /** The program set it; the others are answers from outside. */
  readonly isOwn: boolean;
  handle: Disposable | undefined;
}

/**
 * An operating-system process in virtual time: its own clock, which can be stepped, and a life that can be paused or ended
 * between any two of its steps. What happens while it is paused (timers, answers) reaches it when it goes on; a process that
 * was killed never runs again.
 */
export class SimulatedProcess {
  /** The process's view of time. A step moves `now()` and no timer. */
  readonly clock: Clock;
  readonly #world: SimulationClock;
  readonly #timers = new Set<Timer>();
  /** Due while it was paused, in order. */
  #held: Timer[] = [];
  #offsetMs = 0;
  #state: 'running' | 'paused' | 'dead' = 'running';

  constructor(world: SimulationClock) {
    this.#world = world;
    this.clock = {
      now: () => world.now() + this.#offsetMs,
      after: (delayMs, fn) => this.#add(delayMs, fn, true),
    };
  }

  get isAlive(): boolean {
    return this.#state !== 'dead';
  }

  get isRunning(): boolean {
    return this.#state === 'running';
  }

  /** Timers the program has set that have neither fired nor been disposed. */
  get pendingTimers(): number {
    return [...this.#timers].filter(({ isOwn }) => isOwn).length;
  }

  /** Runs `fn` in the process after a delay of virtual time: something arrives from outside. */
  schedule(delayMs: number, fn: () => void): Disposable {
    return this.#add(delayMs, fn, false);
  }

  #add(delayMs: number, fn: () => void, isOwn: boolean): Disposable {
    const timer: Timer = { fn, isOwn, handle: undefined };
    if (!this.isAlive) return { [Symbol.dispose]: () => undefined };
    this.#timers.add(timer);
    timer.handle = this.#world.afterWaking(delayMs, () => this.#fire(timer));
    return {
      [Symbol.dispose]: () => {
        this.#timers.delete(timer);
        timer.handle?.[Symbol.dispose]();
      },
    };
  }

  /** Moves its wall clock. */
  stepClock(deltaMs: number): void {
    this.#offsetMs += deltaMs;
  }

  /** Freezes it, as SIGSTOP or a starved machine does. */
  pause(): void {
    if (this.#state === 'running') this.#state = 'paused';
  }

  resume(): void {
    if (this.#state !== 'paused') return;
    this.#state = 'running';
    const held = this.#held;
    this.#held = [];
    for (const timer of held) {
      if (this.#timers.has(timer)) timer.handle = this.#world.afterWaking(0, () => this.#fire(timer));
    }
  }

  /** Ends it, as SIGKILL does. */
  kill(): void {
    this.#state = 'dead';
    for (const { handle } of this.#timers) handle?.[Symbol.dispose]();
    this.#timers.clear();
    this.#held = [];
  }

  #fire(timer: Timer): void {
    if (!this.#timers.has(timer)) return;
    if (this.#state === 'paused') {
      this.#held.push(timer);
      return;
    }
    this.#timers.delete(timer);
    timer.fn();
  }
}
