import type { Clock } from '@reattach/core';
import type { Kind } from '../kube-object.ts';
import type { ObjectStore } from '../object-store.ts';

/** Where a fake controller acts. */
export interface FakeControllerContext {
  readonly store: ObjectStore;
  readonly clock: Clock;
}

export interface ControlLoopOptions extends FakeControllerContext {
  /** Kinds whose changes cause a pass. */
  readonly kinds: readonly Kind[];
  /** Time from a change to the pass it causes, ms; changes meanwhile share that pass. Default 0. */
  readonly delayMs?: number;
  /** One level-based pass over the store. Returns when the next is due without a change: epoch ms, later than its own start. */
  readonly pass: () => number | undefined;
}

/**
 * Runs passes: one at the start, one after every burst of changes, and one whenever the last pass asked for it. Passes never
 * overlap and never run inside a write; after disposal none runs and no timer is left. A pass that asks for another at once
 * would never end: its timer throws.
 */
export class ControlLoop implements Disposable {
  readonly #options: ControlLoopOptions;
  readonly #subscription: Disposable;
  #timer: { readonly dueMs: number; readonly handle: Disposable } | undefined;
  #disposed = false;

  constructor(options: ControlLoopOptions) {
    this.#options = options;
    const kinds = new Set<Kind>(options.kinds);
    this.#subscription = options.store.subscribe(({ kind }) => {
      if (kinds.has(kind)) this.wake();
    });
    this.wake();
  }

  /** Asks for a pass as a change does. */
  wake(): void {
    const { clock, delayMs = 0 } = this.#options;
    this.#schedule(clock.now() + delayMs);
  }

  [Symbol.dispose](): void {
    this.#disposed = true;
    this.#subscription[Symbol.dispose]();
    this.#timer?.handle[Symbol.dispose]();
    this.#timer = undefined;
  }

  #schedule(dueMs: number): void {
    if (this.#disposed || !Number.isFinite(dueMs) || (this.#timer && this.#timer.dueMs <= dueMs)) return;
    this.#timer?.handle[Symbol.dispose]();
    const { clock } = this.#options;
    this.#timer = { dueMs, handle: clock.after(dueMs - clock.now(), () => this.#run()) };
  }

  #run(): void {
    this.#timer = undefined;
    const startedMs = this.#options.clock.now();
    const nextMs = this.#options.pass();
    if (nextMs === undefined) return;
    if (nextMs <= startedMs)
      throw new TypeError(`Expected the next pass later than ${startedMs}, got ${nextMs}`);
    this.#schedule(nextMs);
  }
}

/** The first of some moments; undefined when there is none. */
export function earliest(momentsMs: readonly number[]): number | undefined {
  return momentsMs.length === 0 ? undefined : Math.min(...momentsMs);
}
