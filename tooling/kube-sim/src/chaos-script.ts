import { SeededRandom } from '@reattach/core/testing';
import type { Fault, Faults, WatchFault } from './faults.ts';
import type { KubeSim } from './kube-sim.ts';
import type { RequestMatch } from './request-log.ts';

/**
 * One kind of trouble.
 * - `break-watches`: every open watch goes wrong at once. `watch-fault`: the next watches do, after some events.
 * - `compact`: every resourceVersion handed out is too old. `outage`: no connection is accepted.
 * - `throttle`, `errors`, `slow`: every request. `stale-lists`: lists and reads from a watch cache that lags behind.
 * - `hang`: some requests get no answer. `lost-answers`: some writes are applied and their connection reset.
 */
export type ChaosKind =
  | 'break-watches'
  | 'watch-fault'
  | 'compact'
  | 'outage'
  | 'throttle'
  | 'errors'
  | 'slow'
  | 'stale-lists'
  | 'hang'
  | 'lost-answers';

export const CHAOS_KINDS: readonly ChaosKind[] = [
  'break-watches',
  'watch-fault',
  'compact',
  'outage',
  'throttle',
  'errors',
  'slow',
  'stale-lists',
  'hang',
  'lost-answers',
];

/** Some trouble, from `atMs` after the start of the script until `untilMs`. */
export type ChaosStep = {
  readonly atMs: number;
  /** Equal to `atMs` for trouble of a moment. */
  readonly untilMs: number;
} & (
  | { readonly kind: 'break-watches'; readonly effect: 'end' | 'reset' | 'expired' | 'half-open' }
  | { readonly kind: 'compact' | 'outage' }
  | {
      readonly kind: Exclude<ChaosKind, 'break-watches' | 'compact' | 'outage'>;
      readonly match: RequestMatch;
      readonly fault: Fault;
      /** Requests it hits at most. */
      readonly times: number;
    }
);

export interface ChaosOptions {
  readonly seed: number;
  /** Trouble begins and ends within this time, ms. Default 600 000. */
  readonly durationMs?: number;
  /** Mean time from the begin of one trouble to that of the next, ms. Default 20 000. They may overlap. */
  readonly meanGapMs?: number;
  /** Longest trouble that lasts, ms. Default 30 000. */
  readonly longestMs?: number;
  /** Default: all. */
  readonly kinds?: readonly ChaosKind[];
}

/** A script that is being played. Disposing it ends all trouble. */
export interface ChaosRun extends AsyncDisposable {
  /** Steps that have begun, oldest first. */
  readonly begun: readonly ChaosStep[];
}

const BREAKS = ['end', 'reset', 'expired', 'half-open'] as const;
const BREAK: Readonly<Record<(typeof BREAKS)[number], (faults: Faults) => void>> = {
  end: (faults) => faults.endWatches(),
  reset: (faults) => faults.dropWatches(),
  expired: (faults) => faults.expireWatches(),
  'half-open': (faults) => faults.halfOpenWatches(),
};
const WATCH_EFFECTS: readonly WatchFault['effect'][] = [
  ...BREAKS,
  'malformed',
  'duplicate',
  'old-bookmark',
  'drip',
];
const WRITES: RequestMatch = ({ method }) => method !== 'GET';
const EVERY_REQUEST = Number.POSITIVE_INFINITY;

/** A random but repeatable sequence of faults: the same options give the same steps. */
export class ChaosScript {
  readonly seed: number;
  /** In the order of their begin. */
  readonly steps: readonly ChaosStep[];

  constructor(options: ChaosOptions) {
    const { seed, durationMs = 600_000, meanGapMs = 20_000, longestMs = 30_000 } = options;
    const { kinds = CHAOS_KINDS } = options;
    const random = new SeededRandom(seed);
    const steps: ChaosStep[] = [];
    const nextGapMs = () => random.integer(1, meanGapMs * 2 - 1);
    for (let atMs = nextGapMs(); atMs < durationMs; atMs += nextGapMs()) {
      const untilMs = Math.min(atMs + random.integer(1, longestMs), durationMs);
      steps.push(randomStep(random, random.pick(kinds), atMs, untilMs));
    }
    this.seed = seed;
    this.steps = steps;
  }

  /** Lets the trouble happen to a simulator, on its clock. */
  play(sim: KubeSim): ChaosRun {
    return new ScriptRun(sim, this.steps);
  }
}

function randomStep(random: SeededRandom, kind: ChaosKind, atMs: number, untilMs: number): ChaosStep {
  const lasting = { atMs, untilMs };
  switch (kind) {
    case 'break-watches':
      return { atMs, untilMs: atMs, kind, effect: random.pick(BREAKS) };
    case 'compact':
      return { atMs, untilMs: atMs, kind };
    case 'outage':
      return { ...lasting, kind };
    case 'watch-fault': {
      const effect = random.pick(WATCH_EFFECTS);
      const fault: Fault = { kind: 'watch', effect, afterEvents: random.integer(0, 5) };
      return { ...lasting, kind, match: { watch: true }, fault, times: random.integer(1, 3) };
    }
    case 'throttle': {
      const fault: Fault = { kind: 'throttle', retryAfterSeconds: random.integer(1, 5) };
      return { ...lasting, kind, match: {}, fault, times: EVERY_REQUEST };
    }
    case 'errors': {
      const fault: Fault = {
        kind: 'status',
        status: random.pick([500, 503, 504]),
        applied: random.next() < 0.3,
      };
      return { ...lasting, kind, match: {}, fault, times: EVERY_REQUEST };
    }
    case 'slow': {
      const fault: Fault = { kind: 'delay', delayMs: random.integer(100, 10_000) };
      return { ...lasting, kind, match: {}, fault, times: EVERY_REQUEST };
    }
    case 'stale-lists': {
      const fault: Fault = { kind: 'stale', behind: random.integer(1, 50) };
      return { ...lasting, kind, match: { method: 'GET', watch: false }, fault, times: EVERY_REQUEST };
    }
    case 'hang': {
      const fault: Fault = { kind: 'hang', applied: random.next() < 0.5 };
      return { ...lasting, kind, match: {}, fault, times: random.integer(1, 5) };
    }
    case 'lost-answers': {
      const fault: Fault = { kind: 'reset', applied: true };
      return { ...lasting, kind, match: WRITES, fault, times: random.integer(1, 5) };
    }
    default:
      return kind satisfies never;
  }
}

class ScriptRun implements ChaosRun {
  readonly begun: ChaosStep[] = [];
  readonly #sim: KubeSim;
  /** Timers, and the ends of faults that are active. */
  readonly #cleanup = new DisposableStack();
  #outages = 0;
  /** Starts and stops of the listener, one after another. */
  #listener: Promise<void> = Promise.resolve();

  constructor(sim: KubeSim, steps: readonly ChaosStep[]) {
    this.#sim = sim;
    for (const step of steps) this.#after(step.atMs, () => this.#begin(step));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#cleanup.dispose();
    await this.#listener;
  }

  #after(delayMs: number, fn: () => void): void {
    this.#cleanup.use(this.#sim.clock.after(delayMs, fn));
  }

  #begin(step: ChaosStep): void {
    this.begun.push(step);
    const { faults } = this.#sim;
    if ('fault' in step) {
      this.#endLater(step, faults.add(step.match, step.fault, step.times));
      return;
    }
    switch (step.kind) {
      case 'break-watches':
        BREAK[step.effect](faults);
        return;
      case 'compact':
        this.#sim.compact();
        return;
      case 'outage':
        this.#endLater(step, this.#beginOutage());
        return;
    }
  }

  #endLater({ atMs, untilMs }: ChaosStep, trouble: Disposable): void {
    this.#cleanup.use(trouble);
    this.#after(untilMs - atMs, () => trouble[Symbol.dispose]());
  }

  /** Overlapping outages end with the last of them. */
  #beginOutage(): Disposable {
    const change = (by: 1 | -1) => {
      this.#outages += by;
      this.#listener = this.#listener.then(() =>
        this.#outages > 0 ? this.#sim.faults.refuseConnections() : this.#sim.faults.acceptConnections(),
      );
    };
    let isOver = false;
    change(1);
    return {
      [Symbol.dispose]: () => {
        if (!isOver) change(-1);
        isOver = true;
      },
    };
  }
}
