import { type Backoff, type Clock, type Logger, silentLogger, systemClock } from '@reattach/core';
import type { KubeApi } from '@reattach/k8s-api';
import { type ApiResource, resourceOfPath } from './api-resource.ts';
import { DeletedFinalStateUnknown } from './deleted-final-state-unknown.ts';
import { HandlerRegistry, type InformerHandlers } from './handler-registry.ts';
import { type Identified, type IndexFunction, ObjectCache, type Projection } from './object-cache.ts';
import { Reflector, type ReflectorPhase } from './reflector.ts';
import { type ResourceMetrics, WatchInstruments } from './telemetry/instruments.ts';

/** What an informer watches and how. */
export interface InformerOptions<T extends Identified> {
  readonly api: KubeApi;
  /** Path of the collection, e.g. `apiPaths.nodes`. */
  readonly path: string;
  readonly project: Projection<T>;
  /** Indexes by name. Buckets should be small: leaving one costs its length. */
  readonly indexes?: Readonly<Record<string, IndexFunction<T>>>;
  readonly fieldSelector?: string;
  readonly labelSelector?: string;
  /** The server may not have this API (a 404 is then no error but state `absent`). Default `false`. */
  readonly optional?: boolean;
  /** Ask for streaming lists first, and for pages where the server has none. Default `true`. */
  readonly streamingList?: boolean;
  /** Objects per page of a list. Default 500, as kubectl. */
  readonly pageSize?: number;
  /**
   * A watch that is silent for this long counts as dead and is resumed, ms; one that stays silent is followed by a list. Default 75 000: above the server's bookmark interval of 60 000.
   */
  readonly idleTimeoutMs?: number;
  /** Delays between attempts. Default 500 ms to 10 000 ms. */
  readonly backoff?: Backoff;
  /** A watch alive for this long makes the failures before it forgotten, ms. Default 30 000. */
  readonly stableMs?: number;
  /** How often an absent API is checked for, ms, give or take 10 %. Default 60 000. */
  readonly absentRetryMs?: number;
  /** Default: the machine's. */
  readonly clock?: Clock;
  /** Default: silent. */
  readonly logger?: Logger;
  /** A number in [0, 1), for jitter. Default `Math.random`. */
  readonly random?: () => number;
  /** Default: new ones, from the meter provider of the moment. */
  readonly instruments?: WatchInstruments;
}

/** What an informer is doing. */
export interface InformerState {
  readonly kind: 'stopped' | ReflectorPhase['kind'];
  /** For people; for a missing permission it says what to grant. */
  readonly detail: string;
  /** Epoch ms. */
  readonly sinceMs: number;
}

interface Run {
  readonly controller: AbortController;
  readonly metrics: ResourceMetrics;
  readonly done: Promise<void>;
}

/**
 * A cache of one collection, kept equal to the API server by one list and one watch, and the events that keep it so.
 *
 * Guarantees: the cache has a change before handlers are called; for every object handlers are called `onAdd`, then
 * `onUpdate` with the state before, then `onDelete`, never out of this order; a new uid under a known name is `onDelete`, `onAdd`;
 * nothing that goes wrong ends it but `stop()`; after `stop()` has resolved it holds no socket, timer or listener.
 */
export class Informer<T extends Identified> implements AsyncDisposable {
  readonly resource: ApiResource;
  readonly #options: InformerOptions<T>;
  readonly #clock: Clock;
  readonly #logger: Logger;
  readonly #instruments: WatchInstruments;
  readonly #cache: ObjectCache<T>;
  readonly #handlers: HandlerRegistry<T>;
  readonly #firstSync = Promise.withResolvers<void>();
  #run: Run | undefined;
  #stopped: Promise<void> = Promise.resolve();
  #state: InformerState;
  #hasSynced = false;
  #freshAsOfMs = 0;

  constructor(options: InformerOptions<T>) {
    const { path, project, indexes = {}, clock = systemClock, logger = silentLogger } = options;
    this.resource = resourceOfPath(path);
    this.#options = options;
    this.#clock = clock;
    this.#logger = logger;
    this.#instruments = options.instruments ?? new WatchInstruments();
    this.#handlers = new HandlerRegistry((handler, err) => this.#onHandlerFailure(handler, err));
    this.#cache = new ObjectCache(project, indexes, {
      added: (value) => this.#handlers.added(value),
      updated: (old, value) => this.#handlers.updated(old, value),
      deleted: (key, last, late) =>
        this.#handlers.deleted(late ? new DeletedFinalStateUnknown(key, last) : last),
    });
    this.#state = { kind: 'stopped', detail: 'not started', sinceMs: clock.now() };
  }

  /** Starts to list and watch. Does nothing while it runs; after `stop()` it starts again, with a list. */
  start(): void {
    if (this.#run) return;
    const controller = new AbortController();
    const metrics = this.#instruments.forResource(this.resource.plural, () => ({
      ageMs: this.hasSynced ? this.#clock.now() - this.#freshAsOfMs : undefined,
      objects: this.#cache.size,
    }));
    const reflector = this.#createReflector(metrics);
    const done = reflector.run(controller.signal).catch((err: unknown) => {
      this.#logger.error('Informer ended', { resource: this.resource.plural, err });
    });
    this.#run = { controller, metrics, done };
  }

  /** Ends list, watch and waits, and resolves once they have ended. The cache stays as it is. Idempotent. */
  stop(): Promise<void> {
    const run = this.#run;
    if (!run) return this.#stopped;
    this.#run = undefined;
    this.#setState('stopped', 'stopped');
    run.controller.abort(new Error(`Informer of ${this.resource.plural} was stopped`));
    run.metrics[Symbol.dispose]();
    this.#stopped = run.done;
    return run.done;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop();
  }

  /**
   * Adds handlers; each object there is already is an `onAdd` before this returns. A handler that throws, or returns a
   * promise that rejects, is logged and counted. Disposing removes them.
   */
  addHandlers(handlers: InformerHandlers<T>): Disposable {
    return this.#handlers.add(handlers, this.#cache);
  }

  /** The first list is complete, or the API is known to be absent. Stays `true`. */
  get hasSynced(): boolean {
    return this.#hasSynced;
  }

  /** When the cache was last known to equal the API server: last event, bookmark or begin of a complete list; 0 = never. */
  get freshAsOfMs(): number {
    return this.#freshAsOfMs;
  }

  get state(): InformerState {
    return this.#state;
  }

  /** @see ObjectCache.revision */
  get revision(): number {
    return this.#cache.revision;
  }

  /** Objects in the cache. */
  get size(): number {
    return this.#cache.size;
  }

  /** @param key `name`, or `namespace/name`. */
  get(key: string): T | undefined {
    return this.#cache.get(key);
  }

  /** Every object, without a copy: read it before the next `await`. */
  values(): Iterable<T> {
    return this.#cache;
  }

  /** The objects an index has under `key`, without a copy: read it before the next `await`. @throws {TypeError} for an unknown index. */
  byIndex(index: string, key: string): readonly T[] {
    return this.#cache.byIndex(index, key);
  }

  /** Resolves when `hasSynced`; started or not, stopped or not. @throws `signal.reason` when it aborts first. */
  async waitForSync(signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    const { promise: aborted, reject } = Promise.withResolvers<never>();
    const onAbort = () => reject(signal.reason);
    signal.addEventListener('abort', onAbort, { once: true });
    try {
      await Promise.race([this.#firstSync.promise, aborted]);
    } finally {
      signal.removeEventListener('abort', onAbort);
    }
  }

  #createReflector(metrics: ResourceMetrics): Reflector {
    const { api, path, fieldSelector, labelSelector, optional = false, streamingList = true } = this.#options;
    const {
      pageSize = 500,
      idleTimeoutMs = 75_000,
      stableMs = 30_000,
      absentRetryMs = 60_000,
    } = this.#options;
    const { backoff = { initialMs: 500, maxMs: 10_000 }, random = Math.random } = this.#options;
    return new Reflector({
      api,
      path,
      resource: this.resource,
      query: { ...(fieldSelector && { fieldSelector }), ...(labelSelector && { labelSelector }) },
      clock: this.#clock,
      logger: this.#logger,
      random,
      metrics,
      optional,
      streamingList,
      pageSize,
      idleTimeoutMs,
      backoff,
      stableMs,
      absentRetryMs,
      onPhase: (phase) => this.#onPhase(phase),
      sink: {
        beginList: () => this.#cache.beginList(),
        endList: (asOfMs) => {
          this.#cache.endList();
          this.#freshAsOfMs = asOfMs;
          this.#hasSynced = true;
          this.#firstSync.resolve();
        },
        upsert: (identity, raw) => this.#cache.upsert(identity, raw),
        remove: (identity, raw) => this.#cache.remove(identity, raw),
        fresh: (asOfMs) => {
          this.#freshAsOfMs = asOfMs;
        },
      },
    });
  }

  #onPhase(phase: ReflectorPhase): void {
    const { plural } = this.resource;
    switch (phase.kind) {
      case 'listing':
        // Later on, what went wrong stays to be read until something goes right.
        if (this.#state.kind === 'stopped') this.#setState('listing', `listing ${plural}`);
        return;
      case 'watching':
        if (this.#state.kind !== 'watching') this.#setState('watching', `watching ${plural}`);
        return;
      case 'absent':
        this.#setState('absent', `the API server has no ${plural}`);
        return;
      case 'retrying':
        this.#setState('retrying', phase.detail);
        return;
    }
  }

  #setState(kind: InformerState['kind'], detail: string): void {
    const sinceMs = this.#state.kind === kind ? this.#state.sinceMs : this.#clock.now();
    this.#state = { kind, detail, sinceMs };
  }

  #onHandlerFailure(handler: keyof InformerHandlers<T>, err: unknown): void {
    this.#run?.metrics.handlerError();
    this.#logger.error('Event handler failed', { resource: this.resource.plural, handler, err });
  }
}
