import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { TRIGGER_REASONS, type TriggerReason } from '../model/trigger-reason.ts';
import { settle } from '../testing/fake-clock.ts';
import { CoalescingTrigger } from './coalescing-trigger.ts';

/** `settle` lets the trigger react; without one between them, actions happen in the same turn. */
type Action =
  | { readonly kind: 'request'; readonly reason: TriggerReason }
  | { readonly kind: 'run' | 'complete' | 'reject' | 'abort' | 'settle' };

/** Once ran into a run that had ended without the harness knowing. */
const KNOWN: Action[] = [
  { kind: 'request', reason: 'startup' },
  { kind: 'run' },
  { kind: 'reject' },
  { kind: 'request', reason: 'startup' },
  { kind: 'abort' },
  { kind: 'settle' },
  { kind: 'run' },
];

const actions: fc.Arbitrary<Action[]> = fc.array(
  fc.oneof(
    {
      weight: 4,
      arbitrary: fc.record({
        kind: fc.constant('request' as const),
        reason: fc.constantFrom(...TRIGGER_REASONS),
      }),
    },
    { weight: 3, arbitrary: fc.constant({ kind: 'settle' } as const) },
    { weight: 3, arbitrary: fc.constant({ kind: 'complete' } as const) },
    { weight: 1, arbitrary: fc.constant({ kind: 'reject' } as const) },
    { weight: 1, arbitrary: fc.constant({ kind: 'abort' } as const) },
    { weight: 2, arbitrary: fc.constant({ kind: 'run' } as const) },
  ),
  { maxLength: 60 },
);

/** Plays actions on a trigger and keeps beside it which reasons every pass must have got. */
class Harness {
  readonly #trigger = new CoalescingTrigger();
  readonly #boom = new Error('pass rejected');
  #abort: AbortController | undefined;
  #finish: { readonly resolve: () => void; readonly reject: (err: unknown) => void } | undefined;
  /** Requested and not yet handed to a pass. */
  #owed = new Set<TriggerReason>();
  #open = true;
  #isRejecting = false;
  passes = 0;
  /** Broken invariants, in words. */
  readonly violations: string[] = [];

  async play(action: Action): Promise<void> {
    switch (action.kind) {
      case 'request':
        this.#trigger.request(action.reason);
        if (this.#open) this.#owed.add(action.reason);
        break;
      case 'run':
        if (!this.#abort) this.#run();
        break;
      case 'complete':
        this.#finish?.resolve();
        break;
      case 'reject':
        this.#isRejecting ||= this.#finish !== undefined;
        this.#finish?.reject(this.#boom);
        break;
      case 'abort':
        if (this.#isRejecting) await settle(); // whether the run or the abort comes first is for no caller to know
        if (!this.#abort) break;
        this.#abort.abort();
        this.#open = false;
        this.#owed.clear();
        break;
      case 'settle':
        await settle();
        this.#checkNothingForgotten();
    }
  }

  #run(): void {
    const abort = new AbortController();
    this.#abort = abort;
    this.#open = true;
    this.#trigger
      .run((reasons) => this.#pass(reasons, abort.signal), abort.signal)
      .catch((err: unknown) =>
        this.#require(err === this.#boom, `run rejects only as its pass does: ${String(err)}`),
      )
      .finally(() => {
        this.#abort = undefined;
        this.#isRejecting = false;
      });
  }

  async #pass(reasons: ReadonlySet<TriggerReason>, signal: AbortSignal): Promise<void> {
    this.passes++;
    this.#require(!this.#finish, 'passes never overlap');
    this.#require(!signal.aborted, 'no pass starts after abort');
    this.#require(
      reasons.size > 0 && sameSet(reasons, this.#owed),
      `a pass knows exactly what was requested since the last one started: ${[...reasons].join()}`,
    );
    this.#owed = new Set();
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    this.#finish = { resolve, reject };
    try {
      await promise;
    } finally {
      this.#finish = undefined;
    }
  }

  #checkNothingForgotten(): void {
    const idle = this.#abort && !this.#finish && !this.#abort.signal.aborted;
    this.#require(!idle || this.#owed.size === 0, 'every request is followed by the start of a pass');
  }

  #require(holds: boolean, invariant: string): void {
    if (!holds) this.violations.push(invariant);
  }
}

function sameSet<T>(left: ReadonlySet<T>, right: ReadonlySet<T>): boolean {
  return left.size === right.size && [...left].every((value) => right.has(value));
}

describe('CoalescingTrigger', () => {
  it('keeps its invariants in every order of request, run, completion, rejection and abort', async () => {
    await fc.assert(
      fc.asyncProperty(actions, async (plan) => {
        const harness = new Harness();
        for (const action of plan) await harness.play(action);
        await harness.play({ kind: 'settle' });
        expect(harness.violations).toEqual([]);
      }),
      { numRuns: 1_000, examples: [[KNOWN]] },
    );
  });

  it('runs two passes for any number of requests during one', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.constantFrom(...TRIGGER_REASONS), { minLength: 1, maxLength: 50 }),
        async (burst) => {
          const harness = new Harness();
          await harness.play({ kind: 'run' });
          await harness.play({ kind: 'request', reason: 'startup' });
          await harness.play({ kind: 'settle' });
          for (const reason of burst) await harness.play({ kind: 'request', reason });
          for (const kind of ['complete', 'settle', 'complete', 'settle', 'complete', 'settle'] as const) {
            await harness.play({ kind });
          }
          expect(harness.passes).toBe(2);
        },
      ),
    );
  });
});
