import { type Clock, type Leadership, type Logger, silentLogger } from '@reattach/core';
import { apiPaths, type KubeApi, KubeApiError } from '@reattach/k8s-api';
import { K8sActionsError } from './k8s-actions-error.ts';
import { claimed, type LeaderLease, newLeaseObject, readLeaderLease, released } from './leader-lease.ts';
import { LeaseObserver } from './lease-observer.ts';
import { requireOwner } from './lease-owner.ts';
import { getLive, malformed, REQUEST_TIMEOUT_MS } from './live-object.ts';

/** Jitter of the pause between attempts to acquire: 1 to 2.2 times `retryPeriodMs`. @see client-go, leaderelection.JitterFactor */
const JITTER_FACTOR = 1.2;

/** Bound of each of the two requests of a release, ms: a shutdown must not wait long for a sick API server. */
const RELEASE_TIMEOUT_MS = 2_000;

export interface LeaderElectorOptions {
  readonly api: KubeApi;
  readonly clock: Clock;
  /** Namespace of the Lease: the replica's own. */
  readonly namespace: string;
  /** Name of the Lease. */
  readonly name: string;
  /** Unique among all processes that ever compete, a restarted container too: e.g. the pod's name and a random part. */
  readonly identity: string;
  /** Attacher and cluster id, joined. A Lease of another owner is never claimed, and reported. */
  readonly owner: string;
  /** How long the others wait for a leader they see no more of, ms, whole seconds. Default 15 000, as in Kubernetes. */
  readonly leaseDurationMs?: number;
  /** How long after its last renewal a leader still acts, ms. Default 10 000, as in Kubernetes. */
  readonly renewDeadlineMs?: number;
  /** Pause between renewals, and the shortest between attempts to acquire, ms. Default 2 000, as in Kubernetes. */
  readonly retryPeriodMs?: number;
  /** In [0, 1): jitter. Default `Math.random`. */
  readonly random?: () => number;
  readonly logger?: Logger;
}

/** A time during which this replica leads. */
interface Term {
  /** Aborted when the term ends before its work does. */
  readonly lost: AbortController;
  /** Aborted when nothing is to be renewed any more. */
  readonly over: AbortController;
}

/**
 * One of several replicas that elect a leader by a Lease. Invariants:
 * (1) at no moment does `assertHeld()` pass in two replicas, nor in one while a write that another was allowed is running;
 * (2) `lead` runs only while this replica leads, never twice at once, and its signal aborts when leadership ends;
 * (3) clocks are never compared: others' claims are timed by a timer of ours, our own by the wall clock *and* a timer, so
 * neither skew between machines nor a step of a wall clock breaks (1).
 *
 * Why (1) holds: a claim is counted from before its request was sent, so the others see it later than that and wait
 * `leaseDurationMs` (15 s) from then. We stop `renewDeadlineMs` (10 s) after sending it, and a write lasts no longer than
 * 5 s: 10 + 5 <= 15. Two things can break it, as with every lease: a process that is frozen between `assertHeld()` and the
 * sending of its write (uid preconditions still hold then), and the Lease being deleted while a replica starts.
 *
 * After a crash the next leader starts within `leaseDurationMs` plus one jittered retry period, below 20 s by default;
 * after an orderly stop within one jittered retry period.
 */
export class LeaderElector implements Leadership {
  readonly identity: string;
  readonly #api: KubeApi;
  readonly #clock: Clock;
  readonly #namespace: string;
  readonly #name: string;
  readonly #owner: string;
  readonly #leaseDurationMs: number;
  readonly #renewDeadlineMs: number;
  readonly #retryPeriodMs: number;
  readonly #random: () => number;
  readonly #logger: Logger;
  readonly #observer: LeaseObserver;
  #running = false;
  #term: Term | undefined;
  /** The Lease as our last write left it, while it is surely ours. */
  #ours: LeaderLease | undefined;
  #heldUntilMs = 0;
  /** Ends the term `renewDeadlineMs` after the last renewal was sent. */
  #deadline: Disposable | undefined;
  /** We sent a claim and have not seen since that another replica holds the Lease. */
  #mayHold = false;
  #holder: string | undefined;
  #failing = false;

  /** @throws {TypeError} for an empty identity, and for times that would not keep two leaders apart. */
  constructor(options: LeaderElectorOptions) {
    const { leaseDurationMs = 15_000, renewDeadlineMs = 10_000, retryPeriodMs = 2_000 } = options;
    if (options.identity === '') throw new TypeError('Expected `identity` not to be empty');
    if (!(retryPeriodMs > 0) || !(renewDeadlineMs > retryPeriodMs * (1 + JITTER_FACTOR))) {
      throw new TypeError(
        `Expected 0 < 2.2 x \`retryPeriodMs\` < \`renewDeadlineMs\`, got ${retryPeriodMs} and ${renewDeadlineMs}`,
      );
    }
    if (leaseDurationMs % 1_000 !== 0 || !(leaseDurationMs >= renewDeadlineMs + REQUEST_TIMEOUT_MS)) {
      throw new TypeError(
        `Expected \`leaseDurationMs\` in whole seconds and >= \`renewDeadlineMs\` + ${REQUEST_TIMEOUT_MS}, got ${leaseDurationMs}`,
      );
    }
    this.identity = options.identity;
    this.#api = options.api;
    this.#clock = options.clock;
    this.#namespace = options.namespace;
    this.#name = options.name;
    this.#owner = options.owner;
    this.#leaseDurationMs = leaseDurationMs;
    this.#renewDeadlineMs = renewDeadlineMs;
    this.#retryPeriodMs = retryPeriodMs;
    this.#random = options.random ?? Math.random;
    this.#logger = options.logger ?? silentLogger;
    this.#observer = new LeaseObserver(options.clock, leaseDurationMs);
  }

  /** `assertHeld()` would pass now. */
  get isLeader(): boolean {
    return this.#clock.now() < this.#heldUntilMs;
  }

  /** Who held the Lease when it was last seen, this replica too; `undefined`: it has no holder, or was not seen yet. */
  get holder(): string | undefined {
    return this.#holder;
  }

  /** @throws {K8sActionsError} `NOT_LEADER`, outcome `not-applied`, unless the last renewal was sent less than `renewDeadlineMs` ago. */
  assertHeld(): void {
    if (this.isLeader) return;
    throw new K8sActionsError('NOT_LEADER', 'not-applied', `${this.identity} does not hold the leader lease`);
  }

  /**
   * Competes until `signal` aborts, and calls `lead` each time this replica has become the leader. `lead` gets a signal that
   * aborts with `NOT_LEADER` when leadership is lost, with `signal.reason` on shutdown; the lease is renewed until `lead`
   * has settled, also then. After a loss this replica waits for `lead` to settle and competes again.
   * Resolves after an abort, or when `lead` resolves by itself, once the lease is released (if it is still ours).
   * @throws {TypeError} when running already; whatever `lead` rejects with while its signal is not aborted.
   */
  async run(lead: (signal: AbortSignal) => Promise<void>, signal: AbortSignal): Promise<void> {
    if (this.#running) throw new TypeError('Expected one run() at a time, the elector is running already');
    this.#running = true;
    try {
      while (await this.#acquire(signal)) {
        if (await this.#lead(lead, signal)) return;
      }
    } finally {
      this.#observer[Symbol.dispose]();
      await this.#release();
      this.#running = false;
    }
  }

  /** @returns false when aborted before this replica became the leader */
  async #acquire(signal: AbortSignal): Promise<boolean> {
    while (!signal.aborted) {
      if (await this.#attempt(signal)) return true;
      await this.#pause(this.#retryPeriodMs * (1 + JITTER_FACTOR * this.#random()), signal);
    }
    return false;
  }

  /** @returns whether `lead` is done for good: it settled without an abort */
  async #lead(lead: (signal: AbortSignal) => Promise<void>, signal: AbortSignal): Promise<boolean> {
    const term: Term = { lost: new AbortController(), over: new AbortController() };
    this.#term = term;
    this.#logger.info('Became the leader', { identity: this.identity, lease: this.#name });
    const leadSignal = AbortSignal.any([signal, term.lost.signal]);
    const renewing = this.#renew(term);
    if (!this.isLeader) this.#endTerm('the claim was answered too late'); // its deadline passed before there was a term
    try {
      await lead(leadSignal);
      return !leadSignal.aborted;
    } catch (err) {
      if (!leadSignal.aborted) throw err;
      if (err !== leadSignal.reason)
        this.#logger.warn('Work of a leader failed while it was stopped', { err });
      return false;
    } finally {
      term.over.abort();
      this.#endTerm();
      await renewing;
    }
  }

  async #renew(term: Term): Promise<void> {
    const { signal } = term.over;
    for (;;) {
      await this.#pause(this.#retryPeriodMs, signal);
      if (signal.aborted) return;
      await this.#attempt(signal);
    }
  }

  /** Claims or renews the Lease once. Never rejects. @returns whether it is ours now */
  async #attempt(signal: AbortSignal): Promise<boolean> {
    try {
      const held = (await this.#renewKnown(signal)) || (await this.#claimFound(signal));
      this.#failing = false;
      return held;
    } catch (err) {
      if (!signal.aborted) this.#report(err);
      return false;
    }
  }

  /** Renews without reading first, as long as no other client has written. */
  async #renewKnown(signal: AbortSignal): Promise<boolean> {
    const lease = this.#ours;
    if (!lease) return false;
    try {
      await this.#claim(lease, signal);
      return true;
    } catch (err) {
      if (!(err instanceof KubeApiError) || (err.code !== 'CONFLICT' && err.code !== 'NOT_FOUND')) throw err;
      this.#ours = undefined;
      return false;
    }
  }

  async #claimFound(signal: AbortSignal): Promise<boolean> {
    const lease = await this.#read(signal, REQUEST_TIMEOUT_MS);
    if (lease?.holder !== undefined && lease.holder !== this.identity) {
      this.#mayHold = false;
      this.#endTerm(`${lease.holder} holds the leader lease`);
    }
    signal.throwIfAborted();
    if (!this.#observer.mayClaim(lease, this.identity)) return false;
    await this.#claim(lease, signal);
    return true;
  }

  async #claim(lease: LeaderLease | undefined, signal: AbortSignal): Promise<void> {
    const nowMs = this.#clock.now();
    const claim = { identity: this.identity, owner: this.#owner, durationMs: this.#leaseDurationMs, nowMs };
    const body = lease ? claimed(lease, claim) : newLeaseObject(this.#namespace, this.#name, claim);
    this.#mayHold = true;
    const deadline = this.#clock.after(this.#renewDeadlineMs, () =>
      this.#endTerm('the leader lease was not renewed in time'),
    );
    try {
      const raw = await this.#api.request({
        method: lease ? 'PUT' : 'POST',
        path: lease ? this.#path : apiPaths.leases(this.#namespace),
        body,
        operation: lease ? 'update leader lease' : 'create leader lease',
        signal,
        timeoutMs: REQUEST_TIMEOUT_MS,
      });
      signal.throwIfAborted();
      this.#ours = readLeaderLease(raw);
      if (!this.#ours) throw malformed(`lease ${this.#name}`);
    } catch (err) {
      deadline[Symbol.dispose]();
      throw err;
    }
    this.#deadline?.[Symbol.dispose]();
    this.#deadline = deadline;
    this.#heldUntilMs = nowMs + this.#renewDeadlineMs;
    this.#holder = this.identity;
  }

  /** Ends leadership now. @param why when it was lost; absent when the work is done */
  #endTerm(why?: string): void {
    this.#heldUntilMs = 0;
    this.#ours = undefined;
    this.#deadline?.[Symbol.dispose]();
    this.#deadline = undefined;
    const term = this.#term;
    this.#term = undefined;
    if (!term || why === undefined) return;
    this.#logger.warn('Lost leadership', { identity: this.identity, lease: this.#name, why });
    term.lost.abort(new K8sActionsError('NOT_LEADER', 'not-applied', why));
    term.over.abort();
  }

  /** Gives the Lease back if it is ours. Never rejects: without a release the others only wait longer. */
  async #release(): Promise<void> {
    if (!this.#mayHold) return;
    this.#mayHold = false;
    try {
      if (!(await this.#giveBack().catch(onceMoreAfterConflict(() => this.#giveBack())))) return;
      this.#holder = undefined;
      this.#logger.info('Released leadership', { identity: this.identity, lease: this.#name });
    } catch (err) {
      this.#logger.warn('Leadership was not released', { err, lease: this.#name });
    }
  }

  /** @returns whether it was ours to give */
  async #giveBack(): Promise<boolean> {
    const { signal } = new AbortController(); // the run's own has aborted; the requests are bounded
    const lease = await this.#read(signal, RELEASE_TIMEOUT_MS);
    if (lease?.holder !== this.identity) return false;
    await this.#api.request({
      method: 'PUT',
      path: this.#path,
      body: released(lease, this.#clock.now()),
      operation: 'release leader lease',
      signal,
      timeoutMs: RELEASE_TIMEOUT_MS,
    });
    return true;
  }

  async #read(signal: AbortSignal, timeoutMs: number): Promise<LeaderLease | undefined> {
    const raw = await getLive(this.#api, 'get leader lease', this.#path, signal, timeoutMs);
    const lease = raw === undefined ? undefined : readLeaderLease(raw);
    if (raw !== undefined && !lease) throw malformed(`lease ${this.#name}`);
    if (lease) requireOwner(lease.raw, this.#owner);
    this.#holder = lease?.holder;
    return lease;
  }

  /** Ends early when another's claim runs out, and when aborted. */
  async #pause(delayMs: number, signal: AbortSignal): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    using _timer = this.#clock.after(signal.aborted ? 0 : delayMs, resolve);
    this.#observer.onExpired = resolve;
    const onAbort = () => resolve();
    signal.addEventListener('abort', onAbort, { once: true });
    try {
      await promise;
    } finally {
      signal.removeEventListener('abort', onAbort);
    }
  }

  /** The first failure of a row is a warning: the API server may be away for long. A lost race is none. */
  #report(err: unknown): void {
    if (err instanceof KubeApiError && err.code === 'CONFLICT') return;
    const fields = { err, identity: this.identity, lease: this.#name };
    const level = err instanceof K8sActionsError ? 'error' : 'warn'; // another owner's Lease: a person must act
    if (this.#failing) this.#logger.debug('Leader lease could not be claimed again', fields);
    else this.#logger[level]('Leader lease could not be read or claimed', fields);
    this.#failing = true;
  }

  get #path(): string {
    return apiPaths.lease(this.#namespace, this.#name);
  }
}

/** A renewal that was cut off may still have arrived, in between. */
function onceMoreAfterConflict<T>(fn: () => Promise<T>): (err: unknown) => Promise<T> {
  return (err) => {
    if (err instanceof KubeApiError && err.code === 'CONFLICT') return fn();
    throw err;
  };
}
