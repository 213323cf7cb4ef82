import {
  type BackendCapabilities,
  type BackendHealth,
  type BackendWatch,
  type Clock,
  EMPTY_QUERY,
  type Fence,
  type FenceRecord,
  type Logger,
  type PersistentVolumeFact,
  type StorageAddress,
  type StorageBackend,
  type StorageQuery,
  type StorageReading,
  silentLogger,
  type VolumeClaim,
} from '@reattach/core';

/** Time between readings while a node may be dying, and while none is, ms. */
const CLOSE_READ_MS = 5_000;
const IDLE_READ_MS = 30_000;

/** What differs between products: how to read one, and how to cut a host off. */
export interface PolledBackendOptions {
  readonly name: string;
  readonly kind: string;
  readonly capabilities: BackendCapabilities;
  readonly clock: Clock;
  /** Default: silent. */
  readonly logger?: Logger;
  /** Default: every volume is `unnamed`, which is right where there is one backend. */
  readonly claimOf?: (volume: PersistentVolumeFact) => VolumeClaim;
  /** Reads once and judges the suspects of `query` at `nowMs`. @throws when the backend cannot be reached or its reply is unusable */
  readonly read: (
    query: StorageQuery,
    nowMs: number,
    signal: AbortSignal,
  ) => Promise<Omit<StorageReading, 'observedAtMs'>>;
  /** @see StorageBackend.fence */
  readonly fence: (
    record: FenceRecord,
    addresses: readonly StorageAddress[],
    signal: AbortSignal,
  ) => Promise<void>;
  /** @see StorageBackend.unfence */
  readonly unfence: (fence: Fence, signal: AbortSignal) => Promise<void>;
  /** Closes connections. Default: there are none. */
  readonly close?: () => Promise<void>;
}

/**
 * A storage backend that is read by requests, for products that need no state of their own between readings. It reads in the
 * background, keeps the last reading, turns a failed one into unknown evidence, and reports outages once.
 */
export class PolledBackend implements StorageBackend {
  readonly name: string;
  readonly kind: string;
  readonly capabilities: BackendCapabilities;
  lastReading: StorageReading | undefined;
  readonly #options: PolledBackendOptions;
  readonly #logger: Logger;
  readonly #reconnected = new Set<() => void>();
  readonly #disconnected = new Set<(error: Error) => void>();
  #health: BackendHealth = { connected: false, detail: 'Not read yet' };
  #isOutage = false;
  #watch: BackendWatch = { query: EMPTY_QUERY, closely: false };
  #signal: AbortSignal | undefined;
  #timer: Disposable | undefined;

  constructor(options: PolledBackendOptions) {
    this.name = options.name;
    this.kind = options.kind;
    this.capabilities = options.capabilities;
    this.#options = options;
    this.#logger = options.logger ?? silentLogger;
  }

  start(signal: AbortSignal): void {
    if (this.#signal) throw new TypeError(`Backend ${this.name} was started before`);
    this.#signal = signal;
    signal.addEventListener('abort', () => this.#timer?.[Symbol.dispose](), { once: true });
    this.#readSoon(0);
  }

  watch(watch: BackendWatch): void {
    this.#watch = watch;
    const { lastReadingAtMs = 0 } = this.#health;
    const isOld = this.#options.clock.now() - lastReadingAtMs >= CLOSE_READ_MS;
    if (watch.closely && isOld && this.#timer) this.#readSoon(0);
  }

  health(): BackendHealth {
    return this.#health;
  }

  onReconnect(listener: () => void): Disposable {
    this.#reconnected.add(listener);
    return { [Symbol.dispose]: () => void this.#reconnected.delete(listener) };
  }

  onDisconnect(listener: (error: Error) => void): Disposable {
    this.#disconnected.add(listener);
    return { [Symbol.dispose]: () => void this.#disconnected.delete(listener) };
  }

  claimOf(volume: PersistentVolumeFact): VolumeClaim {
    return this.#options.claimOf?.(volume) ?? 'unnamed';
  }

  async observe(query: StorageQuery, signal: AbortSignal): Promise<StorageReading> {
    signal.throwIfAborted();
    const observedAtMs = this.#options.clock.now();
    try {
      const reading = { ...(await this.#options.read(query, observedAtMs, signal)), observedAtMs };
      signal.throwIfAborted();
      this.#connected(observedAtMs);
      return (this.lastReading = reading);
    } catch (err) {
      signal.throwIfAborted();
      const error = err instanceof Error ? err : new Error(String(err), { cause: err });
      this.#failed(error);
      const { message: detail } = error;
      const unknown = { kind: 'unknown', observedAtMs, reason: 'backend-unreachable', detail } as const;
      const evidence = new Map(query.suspects.map(({ name }) => [name, unknown]));
      return { observedAtMs, evidence, fenceStates: new Map(), unattributed: [] };
    }
  }

  fence(record: FenceRecord, addresses: readonly StorageAddress[], signal: AbortSignal): Promise<void> {
    return this.#options.fence(record, addresses, signal);
  }

  unfence(fence: Fence, signal: AbortSignal): Promise<void> {
    return this.#options.unfence(fence, signal);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#timer?.[Symbol.dispose]();
    this.#timer = undefined;
    await this.#options.close?.();
  }

  #readSoon(delayMs: number): void {
    this.#timer?.[Symbol.dispose]();
    this.#timer = this.#options.clock.after(delayMs, () => {
      this.#timer = undefined; // a reading is in progress
      const signal = this.#signal;
      if (!signal || signal.aborted) return;
      this.observe(this.#watch.query, signal).then(
        () => this.#readSoon(this.#watch.closely ? CLOSE_READ_MS : IDLE_READ_MS),
        () => undefined, // `signal` aborted
      );
    });
  }

  #connected(lastReadingAtMs: number): void {
    this.#health = { connected: true, detail: 'Read', lastReadingAtMs };
    if (!this.#isOutage) return;
    this.#isOutage = false;
    this.#logger.info('Reconnected to storage backend', { backend: this.name });
    for (const listener of this.#reconnected) listener();
  }

  #failed(error: Error): void {
    this.#health = { ...this.#health, connected: false, detail: error.message };
    if (this.#isOutage) return;
    this.#isOutage = true;
    this.#logger.warn('Could not read storage backend', { backend: this.name, err: error });
    for (const listener of this.#disconnected) listener(error);
  }
}
