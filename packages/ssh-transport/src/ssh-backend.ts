import {
  type BackendCapabilities,
  type BackendHealth,
  type BackendHistory,
  type BackendWatch,
  type Clock,
  EMPTY_QUERY,
  type Fence,
  type FenceRecord,
  type Logger,
  type NodeEvidence,
  type PersistentVolumeFact,
  type StorageAddress,
  type StorageBackend,
  type StorageQuery,
  type StorageReading,
  type UnknownReason,
  type VolumeClaim,
} from '@reattach/core';
import { BackendError, type BackendErrorCode } from './backend-error.ts';
import type { ConnectionManager } from './connection-manager.ts';
import type { SshSession } from './ssh-session.ts';
import type { SshMetrics } from './telemetry/instruments.ts';

/** Interval between readings while a node may be dying, ms: a closed queue is visible for 10 s (docs/routeros.md, "Closing"). */
const CLOSE_POLL_MS = 5_000;

/** Errors where the backend replied, but the reply was unusable. */
const NOT_UNDERSTOOD: ReadonlySet<BackendErrorCode> = new Set([
  'MALFORMED',
  'INCOMPLETE',
  'REFUSED',
  'UNSUPPORTED_VERSION',
]);

/** The part of a backend that knows the product. Every method gets a session that is connected. */
export interface BackendDriver {
  readonly kind: string;
  readonly capabilities: BackendCapabilities;
  claimOf(volume: PersistentVolumeFact): VolumeClaim;
  /** Reads once and says what the reading means. @throws {BackendError} @throws `signal.reason` */
  read(session: SshSession, query: StorageQuery, signal: AbortSignal): Promise<StorageReading>;
  /** @returns whether anything was changed. @throws as `StorageBackend.fence` does */
  fence(
    session: SshSession,
    record: FenceRecord,
    addresses: readonly StorageAddress[],
    signal: AbortSignal,
  ): Promise<boolean>;
  /** @returns whether anything was changed. @throws as `StorageBackend.unfence` does */
  unfence(session: SshSession, fence: Fence, signal: AbortSignal): Promise<boolean>;
  /** What was read last, for people: product and version. `undefined` before the first reading. */
  describe(): string | undefined;
  /** What must outlive the process, as text; equal texts need no write. */
  history(): string;
  /** Adds the history of an earlier process. Called at most once, before the first reading. */
  restore(history: string): void;
}

export interface SshBackendOptions {
  readonly name: string;
  readonly driver: BackendDriver;
  readonly connection: ConnectionManager;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Interval between readings while no node is suspect, ms. */
  readonly idlePollMs: number;
  readonly metrics?: SshMetrics;
  /** Absent: what the backend learns ends with the process. */
  readonly history?: BackendHistory;
}

/**
 * A storage backend that is read and changed over one SSH connection: polling, health, failures and history. The product is in
 * its {@link BackendDriver}.
 */
export class SshBackend<D extends BackendDriver = BackendDriver> implements StorageBackend {
  readonly name: string;
  readonly driver: D;
  readonly #options: SshBackendOptions;
  readonly #lifetime = new AbortController();
  readonly #readingAge: Disposable | undefined;
  #watch: BackendWatch = { query: EMPTY_QUERY, closely: false };
  #lastReading: StorageReading | undefined;
  /** How the last reading failed; absent when it did not. */
  #failure: { readonly code: string; readonly detail: string } | undefined;
  #wake: PromiseWithResolvers<void> = Promise.withResolvers();
  #polling: Promise<void> | undefined;
  /** Settles when the history of an earlier process was read, or could not be. */
  #restored: Promise<void> | undefined;
  #writtenHistory: string | undefined;

  constructor(options: SshBackendOptions & { readonly driver: D }) {
    this.#options = options;
    this.name = options.name;
    this.driver = options.driver;
    this.#readingAge = options.metrics?.observeReading(
      () =>
        this.#lastReading && {
          ageMs: options.clock.now() - this.#lastReading.observedAtMs,
          unattributed: this.#lastReading.unattributed.length,
        },
    );
  }

  get kind(): string {
    return this.driver.kind;
  }

  get capabilities(): BackendCapabilities {
    return this.driver.capabilities;
  }

  get lastReading(): StorageReading | undefined {
    return this.#lastReading;
  }

  start(signal: AbortSignal): void {
    const lifetime = AbortSignal.any([signal, this.#lifetime.signal]);
    this.#options.connection.start(lifetime);
    this.#polling = this.#poll(lifetime);
  }

  watch(watch: BackendWatch): void {
    this.#watch = watch;
    const readAtMs = this.#lastReading?.observedAtMs ?? Number.NEGATIVE_INFINITY;
    if (watch.closely && this.#options.clock.now() - readAtMs >= CLOSE_POLL_MS) this.#wake.resolve();
  }

  claimOf(volume: PersistentVolumeFact): VolumeClaim {
    return this.driver.claimOf(volume);
  }

  onReconnect(listener: () => void): Disposable {
    return this.#options.connection.onReconnect(listener);
  }

  onDisconnect(listener: (error: BackendError) => void): Disposable {
    return this.#options.connection.onDisconnect(listener);
  }

  health(): BackendHealth {
    const { connection } = this.#options;
    const read = this.driver.describe() ?? 'not read yet';
    const failing = this.#failure === undefined ? read : `the last reading failed: ${this.#failure.detail}`;
    return {
      connected: connection.isConnected(),
      detail: connection.trouble ?? failing,
      ...(this.#lastReading && { lastReadingAtMs: this.#lastReading.observedAtMs }),
    };
  }

  async observe(query: StorageQuery, signal: AbortSignal): Promise<StorageReading> {
    signal.throwIfAborted();
    try {
      await (this.#restored ??= this.#restore(signal));
      const reading = await this.driver.read(await this.#session(signal), query, signal);
      this.#lastReading = reading;
      this.#readAgain();
      void this.#saveHistory();
      return reading;
    } catch (err) {
      signal.throwIfAborted();
      return this.#unreadable(query, err);
    }
  }

  async fence(record: FenceRecord, addresses: readonly StorageAddress[], signal: AbortSignal): Promise<void> {
    const changed = await this.driver.fence(await this.#session(signal), record, addresses, signal);
    if (changed) this.#logChange('Fenced node at storage backend', record);
  }

  async unfence(fence: Fence, signal: AbortSignal): Promise<void> {
    const changed = await this.driver.unfence(await this.#session(signal), fence, signal);
    if (changed) this.#logChange('Unfenced node at storage backend', fence);
  }

  /** Idempotent: stops polling and reconnecting, fails running commands and closes the connection. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#readingAge?.[Symbol.dispose]();
    this.#lifetime.abort(new BackendError('CLOSED', 'not-applied', `backend ${this.name} was disposed`));
    await this.#options.connection[Symbol.asyncDispose]();
    await this.#polling;
  }

  async #session(signal: AbortSignal): Promise<SshSession> {
    try {
      return await this.#options.connection.session(signal);
    } catch (cause) {
      signal.throwIfAborted();
      if (!(cause instanceof BackendError)) throw cause;
      const detail = `Command "connect" at backend ${this.name} failed: ${cause.detail}`;
      throw new BackendError(cause.code, 'not-applied', detail, { cause });
    }
  }

  #logChange(message: string, { nodeName, id }: FenceRecord): void {
    this.#options.logger.info(message, { backend: this.name, node: nodeName, fence: id });
  }

  #unreadable({ suspects }: StorageQuery, err: unknown): StorageReading {
    const { logger, clock } = this.#options;
    const code = err instanceof BackendError ? err.code : 'UNAVAILABLE';
    const detail = err instanceof Error ? err.message : 'the backend could not be read';
    const fields = { backend: this.name, code, err };
    if (this.#failure?.code === code) logger.debug('Storage backend was not read', fields);
    else logger.warn('Storage backend was not read', fields);
    this.#failure = { code, detail };
    const reason: UnknownReason = NOT_UNDERSTOOD.has(code) ? 'output-not-understood' : 'backend-unreachable';
    const observedAtMs = clock.now();
    const unknown: NodeEvidence = { kind: 'unknown', observedAtMs, reason, detail };
    const evidence = new Map(suspects.map(({ name }) => [name, unknown]));
    return { observedAtMs, evidence, fenceStates: new Map(), unattributed: [] };
  }

  #readAgain(): void {
    if (this.#failure !== undefined)
      this.#options.logger.info('Storage backend was read again', { backend: this.name });
    this.#failure = undefined;
  }

  /** Without the history, hosts that died before this process started stay `unknown`: safe, and said. */
  async #restore(signal: AbortSignal): Promise<void> {
    try {
      const text = await this.#options.history?.read(signal);
      if (text !== undefined) this.driver.restore(text);
    } catch (err) {
      signal.throwIfAborted();
      this.#options.logger.warn('History of storage backend was not read', { backend: this.name, err });
    }
  }

  async #saveHistory(): Promise<void> {
    const { history, logger } = this.#options;
    const text = this.driver.history();
    if (!history || text === this.#writtenHistory) return;
    const before = this.#writtenHistory;
    this.#writtenHistory = text;
    try {
      await history.write(text, this.#lifetime.signal);
    } catch (err) {
      this.#writtenHistory = before; // the next reading tries again
      if (!this.#lifetime.signal.aborted)
        logger.debug('History of storage backend was not written', { backend: this.name, err });
    }
  }

  async #poll(signal: AbortSignal): Promise<void> {
    const { connection, clock, idlePollMs } = this.#options;
    using _reconnects = connection.onReconnect(() => this.#wake.resolve());
    const onAbort = () => this.#wake.resolve();
    signal.addEventListener('abort', onAbort, { once: true });
    try {
      while (!signal.aborted) {
        this.#wake = Promise.withResolvers();
        await this.observe(this.#watch.query, signal);
        const waitMs = this.#watch.closely ? Math.min(CLOSE_POLL_MS, idlePollMs) : idlePollMs;
        using _timer = clock.after(waitMs, () => this.#wake.resolve());
        if (!signal.aborted) await this.#wake.promise;
      }
    } catch (err) {
      if (!signal.aborted) throw err;
    } finally {
      signal.removeEventListener('abort', onAbort);
    }
  }
}
