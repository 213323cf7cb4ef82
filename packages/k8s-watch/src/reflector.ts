import { type Backoff, type Clock, delay, type Logger } from '@reattach/core';
import { type KubeApi, KubeApiError } from '@reattach/k8s-api';
import type { ApiResource } from './api-resource.ts';
import { IdleWatchdog } from './idle-watchdog.ts';
import { parseList, readListPage } from './list-page.ts';
import { type Identity, isJsonObject, type JsonObject } from './raw-object.ts';
import { ReconnectBackoff } from './reconnect-backoff.ts';
import { describeFailure, reasonOf, StaleStateError } from './reconnect-reason.ts';
import { isNotNewer, isOlder } from './resource-version.ts';
import type { ReconnectReason, ResourceMetrics } from './telemetry/instruments.ts';
import { malformedObject, readWatchLine, requireIdentity } from './watch-line.ts';

/** Bound for one page of a list, ms. 500 Nodes are 7.5 MB. */
const PAGE_TIMEOUT_MS = 30_000;
/**
 * A watch that goes on where another broke has at least this long to show an event or a bookmark, ms. One that shows
 * nothing by then, and by `idleTimeoutMs` after the last proof, is followed by a list. So a cache is proved again within
 * `idleTimeoutMs` plus this time, also by a server that has no bookmarks to send: before 1.31 one that has restarted has
 * none for a resource that does not change.
 */
const RESUME_PROOF_MS = 20_000;
/** A server ends a watch after a time in this range, s: chosen at random, so that watches do not end together. */
const WATCH_TIMEOUT_SECONDS = { min: 300, max: 600 } as const;
/** How often an older state is refused before it is believed: etcd may have been restored from a backup. */
const STALE_STATES_REFUSED = 3;
/** After these the state has to be listed again; after the others the watch goes on where it broke. */
const RELIST_AFTER: ReadonlySet<ReconnectReason> = new Set([
  'gone',
  'invalid',
  'not_found',
  'stale',
  'unexpected',
]);

/** After two of these in a row, too: what broke the watch may be at the place where it would go on. */
const RELIST_AFTER_TWO: ReadonlySet<ReconnectReason> = new Set(['malformed', 'server_error']);
/** Failures that last until someone grants a permission or renews a credential. */
const MUST_ACT: ReadonlySet<ReconnectReason> = new Set(['unauthorized', 'forbidden']);

/** Where lists and events go. */
export interface ReflectorSink {
  /** A list begins: what comes until `endList` belongs to it, unless another begins first. */
  beginList(): void;
  /** The list is complete: what it did not name is gone. @param asOfMs it shows the state of this time or later. */
  endList(asOfMs: number): void;
  upsert(identity: Identity, raw: JsonObject): void;
  remove(identity: Identity, raw: JsonObject): void;
  /** An event or a bookmark arrived: the cache was equal to the server's state at this time. */
  fresh(asOfMs: number): void;
}

/** What the reflector is doing, for people. */
export type ReflectorPhase =
  | { readonly kind: 'listing' | 'watching' | 'absent' }
  | { readonly kind: 'retrying'; readonly reason: ReconnectReason; readonly detail: string };

export interface ReflectorOptions {
  readonly api: KubeApi;
  readonly path: string;
  readonly resource: ApiResource;
  /** Selectors. */
  readonly query: Readonly<Record<string, string>>;
  readonly sink: ReflectorSink;
  readonly onPhase: (phase: ReflectorPhase) => void;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly random: () => number;
  readonly metrics: ResourceMetrics;
  readonly optional: boolean;
  readonly streamingList: boolean;
  readonly pageSize: number;
  readonly idleTimeoutMs: number;
  readonly backoff: Backoff;
  readonly stableMs: number;
  readonly absentRetryMs: number;
}

/** How one attempt to list and watch ended. */
interface AttemptEnd {
  readonly reason: ReconnectReason;
  readonly error: unknown;
  /** What was being done, as RBAC calls it: a streaming list is a watch. */
  readonly verb: 'list' | 'watch';
  /** The watch showed nothing at all. */
  readonly silent: boolean;
  /** The watch lived for `stableMs`, as far as could be seen. */
  readonly stable: boolean;
}

/**
 * Keeps a sink equal to a collection at the API server: lists it, watches it, and starts again whatever goes wrong.
 *
 * Every list asks for the most recent state (no resourceVersion), never for "any" (`0`): absence from it is evidence a
 * decision may rest on, and a list from a cache that is behind would make the sink older. A state older than one seen
 * before is refused three times, then believed: that is a cluster restored from a backup.
 */
export class Reflector {
  readonly #options: ReflectorOptions;
  readonly #backoff: ReconnectBackoff;
  /** The server has, or may have, streaming lists. */
  #streamingList: boolean;
  /** When the sink was last known to equal the server's state. */
  #freshAsOfMs = 0;
  /** The newest state seen; where a watch goes on. */
  #version: string | undefined;
  #mustList = true;
  #hasListed = false;
  #staleStates = 0;
  /** The last failure, so that a lasting one is logged once. */
  #lastReason: ReconnectReason | undefined;
  /** A failure was logged and no contact since. */
  #lost = false;

  constructor(options: ReflectorOptions) {
    this.#options = options;
    this.#streamingList = options.streamingList;
    this.#backoff = new ReconnectBackoff(options.backoff, options.random);
  }

  /** Runs until `signal` aborts; never rejects. To be called once. */
  async run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      const end = await this.#attempt(signal);
      if (signal.aborted) return;
      const pauseMs = this.#afterAttempt(end);
      if (pauseMs > 0) await delay(this.#options.clock, pauseMs, signal).catch(() => undefined);
    }
  }

  /** Lists if need be, then watches until something ends it. */
  async #attempt(signal: AbortSignal): Promise<AttemptEnd> {
    const { clock, stableMs } = this.#options;
    let watchedSinceMs: number | undefined;
    let silent = true;
    const end = (reason: ReconnectReason, error?: unknown): AttemptEnd => ({
      reason,
      error,
      silent,
      verb: watchedSinceMs === undefined ? 'list' : 'watch',
      stable: reason !== 'idle' && watchedSinceMs !== undefined && clock.now() - watchedSinceMs >= stableMs,
    });
    try {
      if (this.#mustList && !this.#streamingList) await this.#listPages(signal);
      using watchdog = this.#createWatchdog(signal);
      watchedSinceMs = clock.now();
      try {
        for await (const line of this.#openWatch(watchdog.signal)) {
          signal.throwIfAborted();
          watchdog.touch();
          silent = false;
          this.#onLine(line, watchedSinceMs);
        }
        return end('eof');
      } catch (error) {
        return end(watchdog.expired ? 'idle' : reasonOf(error), error);
      }
    } catch (error) {
      return end(reasonOf(error), error);
    }
  }

  #createWatchdog(signal: AbortSignal): IdleWatchdog {
    const { clock, idleTimeoutMs } = this.#options;
    const leftMs = this.#mustList ? idleTimeoutMs : this.#freshAsOfMs + idleTimeoutMs - clock.now();
    return new IdleWatchdog(
      clock,
      { firstMs: Math.max(leftMs, RESUME_PROOF_MS), idleMs: idleTimeoutMs },
      signal,
    );
  }

  #openWatch(signal: AbortSignal): AsyncIterable<unknown> {
    const { api, path, query, random } = this.#options;
    const { min, max } = WATCH_TIMEOUT_SECONDS;
    const common = {
      ...query,
      allowWatchBookmarks: 'true',
      timeoutSeconds: String(Math.round(min + random() * (max - min))),
    };
    if (!this.#mustList) {
      return api.watch({ path, query: { ...common, resourceVersion: this.#version ?? '' }, signal });
    }
    this.#beginList();
    // `NotOlderThan` with no version is the most recent state; servers without streaming lists refuse the pair.
    const initial = { sendInitialEvents: 'true', resourceVersionMatch: 'NotOlderThan' };
    return api.watch({ path, query: { ...common, ...initial }, signal });
  }

  #onLine(line: unknown, startedAtMs: number): void {
    const { sink, metrics } = this.#options;
    const event = readWatchLine(line);
    const { resourceVersion } = event;
    if (event.kind === 'bookmark') {
      if (this.#mustList && !event.endsInitialEvents) throw new StreamingListUnsupported();
      if (this.#version !== undefined && isOlder(resourceVersion, this.#version))
        this.#onOlder(resourceVersion);
      this.#version = resourceVersion;
      if (this.#mustList) this.#endList(startedAtMs);
      else this.#onContact();
      return;
    }
    if (!this.#mustList) {
      // A change that was seen before: sent twice, or out of order.
      if (this.#version !== undefined && isNotNewer(resourceVersion, this.#version)) return;
      this.#version = resourceVersion;
      metrics.event();
    }
    if (event.kind === 'deleted') sink.remove(event.identity, event.raw);
    else sink.upsert(event.identity, event.raw);
    if (!this.#mustList) this.#onContact();
  }

  async #listPages(signal: AbortSignal): Promise<void> {
    const { api, path, query, pageSize, resource, sink, clock } = this.#options;
    const startedAtMs = clock.now();
    this.#beginList();
    let version: string | undefined;
    let continueToken: string | undefined;
    do {
      const page = readListPage(
        await api.request({
          method: 'GET',
          path,
          query: { ...query, limit: String(pageSize), ...(continueToken && { continue: continueToken }) },
          operation: `list ${resource.plural}`,
          timeoutMs: PAGE_TIMEOUT_MS,
          parse: parseList,
          signal,
        }),
      );
      signal.throwIfAborted();
      version ??= page.resourceVersion; // all pages are of one version, that of the first
      if (this.#version !== undefined && isOlder(version, this.#version)) this.#onOlder(version);
      for (const item of page.items) {
        if (!isJsonObject(item)) throw malformedObject('list item');
        sink.upsert(requireIdentity(item, 'list item'), item);
      }
      continueToken = page.continueToken;
    } while (continueToken !== undefined);
    this.#version = version;
    this.#endList(startedAtMs);
  }

  #beginList(): void {
    const { sink, metrics, onPhase } = this.#options;
    onPhase({ kind: 'listing' });
    if (this.#hasListed) metrics.relist();
    sink.beginList();
  }

  #endList(asOfMs: number): void {
    this.#mustList = false;
    this.#hasListed = true;
    this.#staleStates = 0;
    this.#freshAsOfMs = asOfMs;
    this.#options.sink.endList(asOfMs);
    this.#onRegained();
  }

  #onContact(): void {
    this.#freshAsOfMs = this.#options.clock.now();
    this.#options.sink.fresh(this.#freshAsOfMs);
    this.#onRegained();
  }

  #onRegained(): void {
    const { logger, onPhase, resource } = this.#options;
    onPhase({ kind: 'watching' });
    if (!this.#lost) return;
    this.#lost = false;
    logger.info('Regained contact with Kubernetes resource', { resource: resource.plural });
  }

  /** The server knows less than we do. @throws {StaleStateError} unless it has said so often enough to be believed. */
  #onOlder(version: string): void {
    const { logger, resource } = this.#options;
    if (this.#mustList && this.#staleStates >= STALE_STATES_REFUSED) {
      logger.warn('Accepted a state older than one seen before', {
        resource: resource.plural,
        resourceVersion: version,
        seenResourceVersion: this.#version,
      });
      this.#version = version;
      return;
    }
    if (this.#mustList) this.#staleStates += 1;
    throw new StaleStateError(version, this.#version ?? '');
  }

  /** Learns from how an attempt ended. @returns how long to wait before the next, ms. */
  #afterAttempt(end: AttemptEnd): number {
    const { reason, error, verb, silent, stable } = end;
    const { metrics, optional, absentRetryMs, sink, onPhase, random, clock, resource } = this.#options;
    if (this.#mustList && this.#streamingList && stopsStreaming(reason, error)) {
      this.#streamingList = false;
      return 0; // no failure: this server is asked for pages from now on
    }
    metrics.reconnect(reason);
    const again = reason === this.#lastReason;
    if (
      RELIST_AFTER.has(reason) ||
      (RELIST_AFTER_TWO.has(reason) && again) ||
      (reason === 'idle' && silent)
    ) {
      this.#mustList = true;
    }
    this.#log(end);
    if (reason === 'not_found' && optional) {
      sink.beginList();
      sink.endList(clock.now()); // an API that does not exist has no objects
      onPhase({ kind: 'absent' });
      return absentRetryMs * (0.9 + 0.2 * random());
    }
    if (reason !== 'eof' || !stable) {
      onPhase({ kind: 'retrying', reason, detail: describeFailure(reason, error, verb, resource) });
    }
    if (reason === 'idle') return 0; // it has waited long enough
    const retryAfterMs = error instanceof KubeApiError ? error.retryAfterMs : undefined;
    return this.#backoff.nextDelayMs(stable, retryAfterMs);
  }

  #log({ reason, error, verb, stable }: AttemptEnd): void {
    const { logger, resource, optional } = this.#options;
    const again = reason === this.#lastReason && !stable;
    this.#lastReason = reason;
    const expected = reason === 'eof' || reason === 'gone' || (reason === 'not_found' && optional);
    const level = again || expected ? 'debug' : MUST_ACT.has(reason) ? 'error' : 'warn';
    if (level !== 'debug') this.#lost = true;
    const fields = { resource: resource.plural, verb, reason, ...(error !== undefined && { err: error }) };
    logger[level]('Lost contact with Kubernetes resource', fields);
  }
}

/** A plain bookmark before the end of the initial events: the server took the request for an ordinary watch. */
class StreamingListUnsupported extends Error {}

function stopsStreaming(reason: ReconnectReason, error: unknown): boolean {
  return reason === 'invalid' || reason === 'idle' || error instanceof StreamingListUnsupported;
}
