import { type LoggedRequest, matchesRequest, type RequestMatch } from './request-log.ts';

/**
 * What goes wrong with a request.
 * - `status`: an error answer. `applied`: the request is carried out first, so only its answer is lost.
 * - `delay`: the answer comes `delayMs` later. `hang`: no answer at all. `reset`: the socket is reset.
 * - `throttle`: 429 with Retry-After (default 1 s) and a body other than a Status, as the API server's own limits answer.
 * - `malformed`: an answer that is not JSON.
 * - `stale`: a read is answered with the state at an older resourceVersion, or from a watch cache that is `behind` by so many
 *   versions (never older than the request demands, nor than the last compaction).
 * - `watch`: the watch opens and goes wrong once `afterEvents` events were sent (default 0: at once).
 */
export type Fault =
  | {
      readonly kind: 'status';
      readonly status: number;
      readonly reason?: string;
      readonly message?: string;
      readonly retryAfterSeconds?: number;
      readonly applied?: boolean;
    }
  | { readonly kind: 'delay'; readonly delayMs: number }
  | { readonly kind: 'hang'; readonly applied?: boolean }
  | { readonly kind: 'reset'; readonly applied?: boolean }
  | { readonly kind: 'throttle'; readonly retryAfterSeconds?: number }
  | { readonly kind: 'malformed' }
  | { readonly kind: 'stale'; readonly resourceVersion: number | string }
  | { readonly kind: 'stale'; readonly behind: number }
  | WatchFault;

/**
 * `end`: the server closes the stream. `reset`: the socket is reset. `expired`: an ERROR event 410, then the end.
 * `malformed`: one line that is not JSON, then the stream goes on. `half-open`: no more bytes, the socket stays open.
 * `drip`: later bytes come one every 100 ms. `duplicate`: the last event is sent twice; `old-bookmark`: a BOOKMARK that is
 * older than the last event (both need an event first, whatever `afterEvents` says). A watch that never opens is `hang`.
 */
export interface WatchFault {
  readonly kind: 'watch';
  readonly effect:
    | 'end'
    | 'reset'
    | 'expired'
    | 'malformed'
    | 'half-open'
    | 'duplicate'
    | 'old-bookmark'
    | 'drip';
  readonly afterEvents?: number;
}

/** A fault that waits for its requests. Disposing removes it. */
export interface FaultRule extends Disposable {
  /** Requests it has hit. */
  readonly hits: number;
}

/** What the immediate faults act on. */
export interface FaultTarget {
  /** Makes every open watch that fits go wrong now; returns how many. */
  breakWatches(match: RequestMatch, effect: 'end' | 'reset' | 'expired' | 'half-open'): number;
  /** Resets all connections and stops listening. */
  refuseConnections(): Promise<void>;
  /** Listens on the same port again. */
  acceptConnections(): Promise<void>;
}

interface Rule {
  readonly match: RequestMatch;
  readonly fault: Fault;
  left: number;
  hits: number;
}

/** Scripted faults: of the rules that fit a request the oldest hits it, and a rule that is used up is gone. */
export class Faults {
  readonly #target: FaultTarget;
  readonly #rules = new Set<Rule>();

  constructor(target: FaultTarget) {
    this.#target = target;
  }

  /** @param times requests it hits, default 1; `Infinity` until disposed. */
  add(match: RequestMatch, fault: Fault, times = 1): FaultRule {
    const rule: Rule = { match, fault, left: times, hits: 0 };
    this.#rules.add(rule);
    return {
      get hits() {
        return rule.hits;
      },
      [Symbol.dispose]: () => void this.#rules.delete(rule),
    };
  }

  /** Removes every rule. */
  clear(): void {
    this.#rules.clear();
  }

  /** The fault for a request; counts as a hit. */
  take(request: LoggedRequest): Fault | undefined {
    for (const rule of this.#rules) {
      if (!matchesRequest(rule.match, request)) continue;
      rule.hits += 1;
      rule.left -= 1;
      if (rule.left <= 0) this.#rules.delete(rule);
      return rule.fault;
    }
    return undefined;
  }

  /** Resets the sockets of open watches. @returns how many. */
  dropWatches(match: RequestMatch = {}): number {
    return this.#target.breakWatches(match, 'reset');
  }

  /** Ends open watches as a server does whose time is up. @returns how many. */
  endWatches(match: RequestMatch = {}): number {
    return this.#target.breakWatches(match, 'end');
  }

  /** Sends open watches an ERROR event 410 and ends them. @returns how many. */
  expireWatches(match: RequestMatch = {}): number {
    return this.#target.breakWatches(match, 'expired');
  }

  /** Silences open watches for good; their sockets stay open. @returns how many. */
  halfOpenWatches(match: RequestMatch = {}): number {
    return this.#target.breakWatches(match, 'half-open');
  }

  /** The server goes away: resets all connections, then refuses new ones. */
  refuseConnections(): Promise<void> {
    return this.#target.refuseConnections();
  }

  /** The server is back on the same port, with the same state. */
  acceptConnections(): Promise<void> {
    return this.#target.acceptConnections();
  }
}
