import { isIPv4, isIPv6 } from 'node:net';
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
import {
  BackendError,
  type BackendErrorCode,
  type ConnectionManager,
  type SshMetrics,
  type SshSession,
  unlessAborted,
} from '@reattach/ssh-transport';
import {
  type BackendState,
  type FenceHistory,
  foldFences,
  foldReading,
  forgetFence,
  formatHistory,
  INITIAL_STATE,
  type InterpretOptions,
  interpretReading,
  NO_FENCES,
  parseHistory,
  withHistory,
} from '@reattach/tcp-evidence';
import { type Capabilities, logCapabilities, probeCapabilities } from './capabilities.ts';
import { type FenceLink, fenceAddresses, unfenceEntries } from './fence-effects.ts';
import { ownEntries } from './fence-entries.ts';
import { fenceGuard } from './fence-guard.ts';
import { matchVolume } from './match-volume.ts';
import { DEFAULT_PORT, type NetworkFacts, readNetwork, readSnapshot } from './read-snapshot.ts';
import type { RouterOsClient } from './router-os-client.ts';
import type { Snapshot } from './snapshot.ts';
import { toTcpReading } from './to-tcp-reading.ts';
import { addressNamed, comparable } from './volume-address.ts';

/** Parts of a backend; `createRdsBackend()` puts them together. */
export interface RdsBackendParts {
  readonly name: string;
  readonly storageAddresses: readonly string[];
  readonly connection: ConnectionManager;
  readonly client: RouterOsClient;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly idlePollMs: number;
  /** Times of the evidence and of fences. */
  readonly options: Pick<InterpretOptions, 'activityWindowMs' | 'writesStillMs' | 'maxQuiesceMs'>;
  /** Whether the operator declared that a host is not a node of this cluster. */
  readonly isForeign: (address: string) => boolean;
  readonly history?: BackendHistory;
  readonly metrics?: SshMetrics;
}

/** How often the backend is read while a node may be dying, ms. */
const CLOSE_POLL_MS = 5_000;

/** Settings of the network are read again after this time, ms. */
const NETWORK_MAX_AGE_MS = 60_000;

/** The backend's answer was there, but it is none. */
const NOT_UNDERSTOOD: ReadonlySet<BackendErrorCode> = new Set([
  'MALFORMED',
  'INCOMPLETE',
  'REFUSED',
  'UNSUPPORTED_VERSION',
]);

/**
 * One ROSE Data Server as witness and fence. What it learns about hosts beyond a reading is kept in `history`; without one, a new
 * process says `unknown` until it has seen a node once, or the entry of its session.
 */
export class RdsBackend implements StorageBackend {
  readonly name: string;
  readonly kind = 'rds';
  readonly capabilities: BackendCapabilities = { addressKinds: ['ip'], ipVersions: [4], canFence: true };
  /** Addresses volumes name this backend by. */
  readonly storageAddresses: readonly string[];
  readonly #connection: ConnectionManager;
  readonly #client: RouterOsClient;
  readonly #clock: Clock;
  readonly #logger: Logger;
  readonly #idlePollMs: number;
  readonly #options: RdsBackendParts['options'];
  readonly #isForeign: RdsBackendParts['isForeign'];
  readonly #history: BackendHistory | undefined;
  #watch: BackendWatch = { query: EMPTY_QUERY, closely: false };
  readonly #lifetime = new AbortController();
  readonly #readingAge: Disposable | undefined;
  readonly #probes = new WeakMap<SshSession, Promise<Capabilities>>();
  /** Replaced whole by each reading, so concurrent observers share nothing that changes. */
  #state: BackendState = INITIAL_STATE;
  #fences: FenceHistory = NO_FENCES;
  #damaged: ReadonlyMap<string, string> = new Map();
  readonly #networks = new WeakMap<SshSession, NetworkFacts>();
  /** The history as it was last written, and the write in progress. */
  #kept: string | undefined;
  #keeping: Promise<void> | undefined;
  #lastReading: StorageReading | undefined;
  #lastSnapshot: Snapshot | undefined;
  /** How the last reading failed; absent when it did not. */
  #failing: { readonly code: string; readonly detail: string } | undefined;
  #announced: string | undefined;
  #wake: PromiseWithResolvers<void> = Promise.withResolvers();
  #polling: Promise<void> | undefined;

  constructor(parts: RdsBackendParts) {
    this.name = parts.name;
    this.storageAddresses = parts.storageAddresses;
    this.#connection = parts.connection;
    this.#client = parts.client;
    this.#clock = parts.clock;
    this.#logger = parts.logger;
    this.#idlePollMs = parts.idlePollMs;
    this.#options = parts.options;
    this.#isForeign = parts.isForeign;
    this.#history = parts.history;
    this.#readingAge = parts.metrics?.observeReading(
      () =>
        this.#lastReading && {
          ageMs: this.#clock.now() - this.#lastReading.observedAtMs,
          unattributed: this.#lastReading.unattributed.length,
        },
    );
  }

  get lastReading(): StorageReading | undefined {
    return this.#lastReading;
  }

  /** Everything the last reading found, for people and tools; decisions rest on {@link observe}. */
  get lastSnapshot(): Snapshot | undefined {
    return this.#lastSnapshot;
  }

  /**
   * Connects in the background and reads the backend at once, after each reconnect and every `idlePollMs`.
   * @throws {TypeError} when it was started before
   */
  start(signal: AbortSignal): void {
    const lifetime = AbortSignal.any([signal, this.#lifetime.signal]);
    this.#connection.start(lifetime);
    this.#polling = this.#poll(lifetime);
  }

  watch(watch: BackendWatch): void {
    this.#watch = watch;
    const readAtMs = this.#lastReading?.observedAtMs ?? Number.NEGATIVE_INFINITY;
    if (watch.closely && this.#clock.now() - readAtMs >= CLOSE_POLL_MS) this.#wake.resolve();
  }

  /** A volume that is reached over IPv6 is not ours: neither its sessions nor a fence of it would be seen. */
  claimOf({ volumeAttributes }: PersistentVolumeFact): VolumeClaim {
    const named = addressNamed(volumeAttributes);
    if (named === undefined) return 'unnamed';
    const address = comparable(named);
    return !isIPv6(address) && this.storageAddresses.map(comparable).includes(address) ? 'mine' : 'other';
  }

  /** @see ConnectionManager.onReconnect */
  onReconnect(listener: () => void): Disposable {
    return this.#connection.onReconnect(listener);
  }

  /** @see ConnectionManager.onDisconnect */
  onDisconnect(listener: (error: BackendError) => void): Disposable {
    return this.#connection.onDisconnect(listener);
  }

  health(): BackendHealth {
    const connected = this.#connection.isConnected();
    const snapshot = this.#lastSnapshot;
    const lastReadingAtMs = this.#lastReading?.observedAtMs;
    const read = snapshot ? `RouterOS ${snapshot.version.text}, read by ${snapshot.dialect}` : 'not read yet';
    const failing = this.#failing === undefined ? read : `the last reading failed: ${this.#failing.detail}`;
    return {
      connected,
      detail: this.#connection.trouble ?? failing,
      ...(lastReadingAtMs !== undefined && { lastReadingAtMs }),
    };
  }

  async observe(query: StorageQuery, signal: AbortSignal): Promise<StorageReading> {
    signal.throwIfAborted();
    try {
      const { session, capabilities } = await this.#link(signal);
      const network = await this.#network(session, capabilities, signal);
      const known = { network, knownPorts: this.#lastSnapshot?.sessionPorts ?? [DEFAULT_PORT] };
      const snapshot = await readSnapshot(this.#client, session, capabilities, known, signal);
      const reading = this.#interpret(query, snapshot);
      this.#keep(this.#lifetime.signal);
      this.#lastReading = reading;
      this.#lastSnapshot = snapshot;
      this.#recovered();
      return reading;
    } catch (err) {
      signal.throwIfAborted();
      return this.#unreadable(query, err);
    }
  }

  async fence(fence: FenceRecord, addresses: readonly StorageAddress[], signal: AbortSignal): Promise<void> {
    // Hosts reach this backend over IPv4, so their other addresses do not matter here.
    const values = addresses
      .map(({ value }) => value)
      .filter((value) => !isIPv6(value) || addresses.length === 1);
    const changed = await fenceAddresses(() => this.#fenceLink(signal), fence, values);
    if (!changed) return;
    this.#logger.info('Fenced node at storage backend', {
      backend: this.name,
      node: fence.nodeName,
      fence: fence.id,
    });
  }

  async unfence(fence: Fence, signal: AbortSignal): Promise<void> {
    const changed = await unfenceEntries(() => this.#fenceLink(signal), fence);
    this.#fences = forgetFence(this.#fences, fence.id);
    if (!changed) return;
    this.#logger.info('Unfenced node at storage backend', {
      backend: this.name,
      node: fence.nodeName,
      fence: fence.id,
    });
  }

  /** Idempotent: stops polling and reconnecting, fails what is in progress and closes the connection. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#readingAge?.[Symbol.dispose]();
    this.#lifetime.abort(new BackendError('CLOSED', 'not-applied', `backend ${this.name} was disposed`));
    await this.#connection[Symbol.asyncDispose]();
    await this.#polling;
    await this.#keeping;
  }

  async #fenceLink(signal: AbortSignal): Promise<FenceLink> {
    const { session, capabilities } = await this.#link(signal);
    const { dialect } = capabilities;
    const exportPorts = this.#lastSnapshot?.exports.map(({ port }) => port) ?? [];
    return { backend: this.name, client: this.#client, session, dialect, exportPorts, signal };
  }

  /** The connection, and what the backend at its end can do. */
  async #link(signal: AbortSignal): Promise<{ session: SshSession; capabilities: Capabilities }> {
    const session = await this.#connect(signal);
    return { session, capabilities: await unlessAborted(this.#probe(session), signal) };
  }

  async #connect(signal: AbortSignal): Promise<SshSession> {
    try {
      return await this.#connection.session(signal);
    } catch (cause) {
      signal.throwIfAborted();
      if (!(cause instanceof BackendError)) throw cause;
      throw new BackendError(
        cause.code,
        'not-applied',
        `Command "connect" at backend ${this.name} failed: ${cause.detail}`,
        {
          cause,
        },
      );
    }
  }

  async #network(
    session: SshSession,
    capabilities: Capabilities,
    signal: AbortSignal,
  ): Promise<NetworkFacts> {
    const known = this.#networks.get(session);
    if (known && this.#clock.now() - known.readAtMs < NETWORK_MAX_AGE_MS) return known;
    const read = await readNetwork(this.#client, session, capabilities, signal);
    this.#networks.set(session, read);
    return read;
  }

  /** Probes once per connection; callers share it, so it is bounded by the backend's life and not by the first of them. */
  #probe(session: SshSession): Promise<Capabilities> {
    const known = this.#probes.get(session);
    if (known) return known;
    const probe = probeCapabilities(this.#client, session, this.#lifetime.signal);
    this.#probes.set(session, probe);
    probe.then(
      (capabilities) => this.#announce(capabilities),
      (err: unknown) => {
        const final = err instanceof BackendError && err.code === 'UNSUPPORTED_VERSION';
        if (!final) this.#probes.delete(session);
      },
    );
    return probe;
  }

  /** Once, not after every reconnect. */
  #announce(capabilities: Capabilities): void {
    const { version, dialect, writeCounters } = capabilities;
    const found = `${version.text} ${dialect} ${writeCounters}`;
    if (found !== this.#announced) logCapabilities(this.name, capabilities, this.#logger);
    this.#announced = found;
  }

  #interpret(query: StorageQuery, snapshot: Snapshot): StorageReading {
    const reading = toTcpReading(snapshot);
    const before = this.#state;
    const state = foldReading(before, reading, query);
    const { rebootSeenAtMs } = state;
    if (rebootSeenAtMs !== undefined && rebootSeenAtMs !== before.rebootSeenAtMs)
      this.#logger.info('Storage backend was restarted', { backend: this.name });
    this.#state = state;
    const enforcement = fenceGuard(
      snapshot.rawRules,
      snapshot.exports.map(({ port }) => port),
    );
    const folded = foldFences(this.#fences, ownEntries(snapshot.fenceEntries), {
      isEnforced: enforcement.kind === 'enforced',
      receivedAtMs: reading.receivedAtMs,
    });
    this.#fences = folded.history;
    const volumes = new Map<string, string>();
    for (const volume of query.suspects.flatMap((suspect) => suspect.volumes)) {
      const found = matchVolume(volume, snapshot.exports);
      if (found) volumes.set(volume.volumeHandle, found.slot);
    }
    const { skipped } = snapshot;
    this.#sayDamage(folded.fences);
    const said = interpretReading({
      query,
      reading,
      state,
      fences: folded.fences,
      enforcement,
      volumes,
      options: { ...this.#options, isVisible: isIPv4, isForeign: this.#isForeign },
    });
    return { ...said, ...(skipped.length > 0 && { skipped }) };
  }

  /** Once for each damage, not with every reading. */
  #sayDamage(fences: readonly Fence[]): void {
    const damaged = new Map(fences.flatMap(({ id, damage }) => (damage === undefined ? [] : [[id, damage]])));
    for (const { id, nodeName, damage } of fences) {
      if (damage === undefined || this.#damaged.get(id) === damage) continue;
      this.#logger.error('Fence at storage backend was damaged', {
        backend: this.name,
        node: nodeName,
        fence: id,
        damage,
      });
    }
    this.#damaged = damaged;
  }

  /** What an earlier process learned; without it nothing is known of hosts at first. */
  async #restore(signal: AbortSignal): Promise<void> {
    try {
      const text = await this.#history?.read(signal);
      if (text === undefined) return;
      this.#kept = text;
      this.#state = withHistory(this.#state, parseHistory(text));
    } catch (err) {
      signal.throwIfAborted();
      this.#logger.warn('History of storage backend was not read', { backend: this.name, err });
    }
  }

  /** Writes what was learned when it changed; one write at a time, a failed one is repeated after a later reading. */
  #keep(signal: AbortSignal): void {
    const text = formatHistory(this.#state);
    if (!this.#history || this.#keeping || text === this.#kept) return;
    this.#keeping = this.#history
      .write(text, signal)
      .then(
        () => void (this.#kept = text),
        (err: unknown) => {
          if (!signal.aborted)
            this.#logger.warn('History of storage backend was not written', { backend: this.name, err });
        },
      )
      .finally(() => (this.#keeping = undefined));
  }

  #unreadable({ suspects }: StorageQuery, err: unknown): StorageReading {
    const code = err instanceof BackendError ? err.code : 'UNAVAILABLE';
    const detail = err instanceof Error ? err.message : 'the backend could not be read';
    const fields = { backend: this.name, code, err };
    if (this.#failing?.code === code) this.#logger.debug('Storage backend was not read', fields);
    else this.#logger.warn('Storage backend was not read', fields);
    this.#failing = { code, detail };
    const reason: UnknownReason = NOT_UNDERSTOOD.has(code) ? 'output-not-understood' : 'backend-unreachable';
    const observedAtMs = this.#clock.now();
    const unknown: NodeEvidence = { kind: 'unknown', observedAtMs, reason, detail };
    const evidence = new Map(suspects.map(({ name }) => [name, unknown]));
    return { observedAtMs, evidence, fenceStates: new Map(), unattributed: [] };
  }

  #recovered(): void {
    if (this.#failing !== undefined)
      this.#logger.info('Storage backend was read again', { backend: this.name });
    this.#failing = undefined;
  }

  async #poll(signal: AbortSignal): Promise<void> {
    using _reconnects = this.#connection.onReconnect(() => this.#wake.resolve());
    const onAbort = () => this.#wake.resolve();
    signal.addEventListener('abort', onAbort, { once: true });
    try {
      await this.#restore(signal);
      while (!signal.aborted) {
        this.#wake = Promise.withResolvers();
        await this.observe(this.#watch.query, signal);
        const waitMs = this.#watch.closely ? Math.min(CLOSE_POLL_MS, this.#idlePollMs) : this.#idlePollMs;
        using _timer = this.#clock.after(waitMs, () => this.#wake.resolve());
        if (!signal.aborted) await this.#wake.promise;
      }
    } catch (err) {
      if (!signal.aborted) throw err;
    } finally {
      signal.removeEventListener('abort', onAbort);
    }
  }
}
