import { type Clock, type ClusterEvent, type EventRecorder, type Logger, silentLogger } from '@reattach/core';
import { apiPaths, type KubeApi, KubeApiError } from '@reattach/k8s-api';
import { eventName, eventNamespace, newEventObject, seriesPatch } from './event-object.ts';
import { LruMap } from './lru-map.ts';
import { type RetryPorts, retryTransient } from './retry-transient.ts';
import { TokenBucket } from './token-bucket.ts';

/** Default of `refreshMs`, ms: one pass interval. */
const DEFAULT_REFRESH_MS = 300_000;

/** Longest time between two writes about one repeated Event, ms: the API server drops it an hour after its last write. */
const MAX_REFRESH_MS = 1_800_000;

/** New Events per object: a burst of 25, then one per 5 min. @see client-go, tools/record/events_cache.go */
const BURST = 25;
const REFILL_MS = 300_000;

/** Series and buckets remembered; the number client-go keeps. */
const MAX_REMEMBERED = 4_096;

/** Bound of one request, ms: Events are good to have, and a release must not wait for them. */
const REQUEST_TIMEOUT_MS = 5_000;

export interface KubeEventRecorderOptions {
  readonly api: KubeApi;
  readonly clock: Clock;
  /** Who reports, e.g. the pod's name. Becomes `reportingInstance`. */
  readonly reportingInstance: string;
  /** Time to the first write about a repeated Event, ms; each further one takes twice as long, up to 30 min. Default 300 000. */
  readonly refreshMs?: number;
  /** In [0, 1): jitter and the unique part of Event names. Default `Math.random`. */
  readonly random?: () => number;
  readonly logger?: Logger;
}

/** An Event at the API server and what is to be added to it. */
interface Series {
  readonly name: string;
  count: number;
  writtenAtMs: number;
  refreshMs: number;
}

/**
 * Writes events.k8s.io/v1 Events. The first occurrence is written at once; repetitions (same object, reason and message)
 * only count, and the count is written with the first repetition after `refreshMs`, then after twice that, and so on. New Events of one object are bounded
 * by a token bucket, however their messages differ. Memory is bounded, and failures are logged, never thrown.
 */
export class KubeEventRecorder implements EventRecorder {
  readonly #api: KubeApi;
  readonly #clock: Clock;
  readonly #reportingInstance: string;
  readonly #refreshMs: number;
  readonly #logger: Logger;
  readonly #retry: RetryPorts;
  readonly #series = new LruMap<string, Series>(MAX_REMEMBERED);
  readonly #buckets = new LruMap<string, TokenBucket>(MAX_REMEMBERED);

  constructor(options: KubeEventRecorderOptions) {
    const { api, clock, random = Math.random, logger = silentLogger } = options;
    this.#api = api;
    this.#clock = clock;
    this.#reportingInstance = options.reportingInstance;
    this.#refreshMs = options.refreshMs ?? DEFAULT_REFRESH_MS;
    this.#logger = logger;
    this.#retry = { clock, random, logger };
  }

  async record(event: ClusterEvent, signal: AbortSignal): Promise<void> {
    try {
      await this.#record(event, signal);
    } catch (err) {
      if (signal.aborted) return;
      const { kind, namespace, name } = event.regarding;
      this.#logger.warn('Event was not written', { err, reason: event.reason, kind, namespace, name });
    }
  }

  async #record(event: ClusterEvent, signal: AbortSignal): Promise<void> {
    const { kind, namespace, name, uid } = event.regarding;
    const object = JSON.stringify([kind, namespace, name, uid]);
    const key = JSON.stringify([object, event.type, event.reason, event.message]);
    const series = this.#series.get(key);
    const nowMs = this.#clock.now();
    if (series) {
      series.count++;
      if (nowMs - series.writtenAtMs < series.refreshMs) return;
      series.writtenAtMs = nowMs; // before the write, so that a concurrent repetition only counts
      if (await this.#refresh(event, series, signal)) {
        series.refreshMs = Math.max(Math.min(series.refreshMs * 2, MAX_REFRESH_MS), this.#refreshMs);
        return;
      }
    }
    await this.#create(event, object, key, signal);
  }

  async #create(event: ClusterEvent, object: string, key: string, signal: AbortSignal): Promise<void> {
    const nowMs = this.#clock.now();
    const bucket = this.#buckets.get(object) ?? new TokenBucket(BURST, REFILL_MS, nowMs);
    this.#buckets.set(object, bucket);
    if (!bucket.take(nowMs)) {
      this.#series.delete(key);
      this.#logger.debug('Event was dropped by its rate limit', { object, reason: event.reason });
      return;
    }
    const name = eventName(event, this.#uniqueId(nowMs));
    this.#series.set(key, { name, count: 1, writtenAtMs: nowMs, refreshMs: this.#refreshMs }); // before the write, for the same reason
    const body = newEventObject(event, name, this.#reportingInstance, nowMs);
    const path = apiPaths.events(eventNamespace(event));
    const operation = 'create event';
    const post = async () => {
      try {
        await this.#api.request({
          method: 'POST',
          path,
          body,
          operation,
          signal,
          timeoutMs: REQUEST_TIMEOUT_MS,
        });
      } catch (err) {
        if (!isAlreadyExists(err)) throw err; // the name is ours alone: an attempt that seemed to fail wrote it
      }
    };
    try {
      await retryTransient(operation, post, this.#retry, signal);
    } catch (err) {
      this.#series.delete(key);
      throw err;
    }
  }

  /** @returns false when the Event is gone: the API server drops Events an hour after their last write. */
  async #refresh(event: ClusterEvent, series: Series, signal: AbortSignal): Promise<boolean> {
    const path = apiPaths.event(eventNamespace(event), series.name);
    const operation = 'patch event';
    const patch = () =>
      this.#api.request({
        method: 'PATCH',
        path,
        body: seriesPatch(series.count, this.#clock.now()),
        contentType: 'application/merge-patch+json',
        operation,
        signal,
        timeoutMs: REQUEST_TIMEOUT_MS,
      });
    try {
      await retryTransient(operation, patch, this.#retry, signal);
      return true;
    } catch (err) {
      if (err instanceof KubeApiError && err.code === 'NOT_FOUND') return false;
      throw err;
    }
  }

  #uniqueId(nowMs: number): string {
    const random = Math.floor(this.#retry.random() * 2 ** 32);
    return `${nowMs.toString(16)}${random.toString(16).padStart(8, '0')}`;
  }
}

function isAlreadyExists(err: unknown): boolean {
  return err instanceof KubeApiError && err.reason === 'AlreadyExists';
}
