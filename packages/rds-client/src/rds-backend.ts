import {
  type BackendCapabilities,
  type BackendHealth,
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
  type UnattributedSession,
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
import { type ActivityMemory, liveAddresses } from './activity-memory.ts';
import { type BackendState, NO_MEMORY, remember } from './backend-state.ts';
import { type Capabilities, logCapabilities, probeCapabilities } from './capabilities.ts';
import { classifyEvidence } from './classify-evidence.ts';
import { type FenceLink, fenceAddresses, unfenceEntries } from './fence-effects.ts';
import { fenceState, type VolumeWrites } from './fence-state.ts';
import { matchVolume } from './match-volume.ts';
import { readSnapshot } from './read-snapshot.ts';
import type { RouterOsClient } from './router-os-client.ts';
import { normaliseAddress } from './routeros/ip-address.ts';
import type { Snapshot } from './snapshot.ts';
import { addressNamed, comparable } from './volume-address.ts';

/** Parts of a backend; `createRdsBackend()` puts them together. */
export interface RdsBackendParts {
  readonly name: string;
  readonly storageAddresses: readonly string[];
  readonly connection: ConnectionManager;
  readonly client: RouterOsClient;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly activityWindowMs: number;
  readonly idlePollMs: number;
  readonly quiesceMs: number;
  readonly writesStillMs: number;
  readonly metrics?: SshMetrics;
}

/** How often the backend is read while a node may be dying, ms. */
const CLOSE_POLL_MS = 5_000;

/** The backend's answer was there, but it is none. */
const NOT_UNDERSTOOD: ReadonlySet<BackendErrorCode> = new Set([
  'MALFORMED',
  'INCOMPLETE',
  'REFUSED',
  'UNSUPPORTED_VERSION',
]);

/**
 * One ROSE Data Server as witness and fence. Knows nothing that is not at the backend but who was seen active since the backend
 * last booted; a new process therefore says `unknown` until it has seen a node once, or the entry of its session.
 */
export class RdsBackend implements StorageBackend {
  readonly name: string;
  readonly kind = 'rds';
  readonly capabilities: BackendCapabilities = { addressKinds: ['ip'], canFence: true };
  /** Addresses volumes name this backend by. */
  readonly storageAddresses: readonly string[];
  readonly #connection: ConnectionManager;
  readonly #client: RouterOsClient;
  readonly #clock: Clock;
  readonly #logger: Logger;
  readonly #activityWindowMs: number;
  readonly #idlePollMs: number;
  readonly #quiesceMs: number;
  readonly #writesStillMs: number;
  #watch: BackendWatch = { query: EMPTY_QUERY, closely: false };
  readonly #lifetime = new AbortController();
  readonly #readingAge: Disposable | undefined;
  readonly #probes = new WeakMap<SshSession, Promise<Capabilities>>();
  /** Replaced whole by each reading, so concurrent observers share nothing that changes. */
  #memory: BackendState = NO_MEMORY;
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
    this.#activityWindowMs = parts.activityWindowMs;
    this.#idlePollMs = parts.idlePollMs;
    this.#quiesceMs = parts.quiesceMs;
    this.#writesStillMs = parts.writesStillMs;
    this.#readingAge = parts.metrics?.observeReadingAge(() =>
      this.#lastReading ? this.#clock.now() - this.#lastReading.observedAtMs : undefined,
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

  claimOf({ volumeAttributes }: PersistentVolumeFact): VolumeClaim {
    const named = addressNamed(volumeAttributes);
    if (named === undefined) return 'unnamed';
    return this.storageAddresses.map(comparable).includes(comparable(named)) ? 'mine' : 'other';
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
      const snapshot = await readSnapshot(this.#client, session, capabilities, signal);
      const reading = this.#interpret(query, snapshot);
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
    const values = addresses.map(({ value }) => value);
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
    if (!changed) return;
    this.#logger.info('Unfenced node at storage backend', {
      backend: this.name,
      node: fence.nodeName,
      fence: fence.id,
    });
  }

  /** Idempotent: stops polling and reconnecting, fails what is under way and closes the connection. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#readingAge?.[Symbol.dispose]();
    this.#lifetime.abort(new BackendError('CLOSED', 'not-applied', `backend ${this.name} was disposed`));
    await this.#connection[Symbol.asyncDispose]();
    await this.#polling;
  }

  async #fenceLink(signal: AbortSignal): Promise<FenceLink> {
    const { session, capabilities } = await this.#link(signal);
    const { dialect } = capabilities;
    return { backend: this.name, client: this.#client, session, dialect, signal };
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
    const {
      memory,
      fences,
      guard: enforcement,
      restarted,
    } = remember(this.#memory, snapshot, this.#activityWindowMs);
    this.#memory = memory;
    if (restarted)
      this.#logger.info('Storage backend was restarted or the clock was set', { backend: this.name });
    const volumes = new Set<string>();
    const writes = new Map<string, VolumeWrites[]>();
    for (const suspect of query.suspects) {
      for (const volume of suspect.volumes) {
        const found = matchVolume(volume, snapshot.exports);
        if (!found) continue;
        volumes.add(volume.volumeHandle);
        if (!volume.singleWriter) continue;
        const stillSinceMs = memory.writes.get(found.slot)?.sinceMs;
        const isRunning = (snapshot.writeCounters.get(found.slot)?.inFlightOps ?? '0') !== '0';
        const own = { isRunning, ...(stillSinceMs !== undefined && { stillSinceMs }) };
        writes.set(suspect.name, [...(writes.get(suspect.name) ?? []), own]);
      }
    }
    const inForce = enforcement.kind === 'enforced' ? fences.map(toHost) : [];
    const hosts = { suspects: query.suspects.map(toHost), peers: query.peers.map(toHost) };
    const evidence = classifyEvidence(hosts, snapshot, memory.activity, this.#activityWindowMs, inForce);
    const live = liveAddresses(memory.activity, snapshot, this.#activityWindowMs);
    const observedAtMs = snapshot.takenAtMs;
    const fenceStates = new Map(
      query.suspects.map((node) => {
        const facts = { node, query, evidence: evidence.get(node.name), fences, enforcement, observedAtMs };
        const times = { quiesceMs: this.#quiesceMs, writesStillMs: this.#writesStillMs };
        return [node.name, fenceState({ ...facts, ...times, writes: writes.get(node.name) ?? [] })] as const;
      }),
    );
    return {
      observedAtMs,
      evidence,
      fenceStates,
      ...(snapshot.tracking.on && { liveHosts: countLiveHosts(query, live) }),
      unattributed: unattributed(query, live, memory.activity),
      fences,
      enforcement,
      volumes,
    };
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
      while (!signal.aborted) {
        this.#wake = Promise.withResolvers();
        await this.observe(this.#watch.query, signal);
        using _timer = this.#clock.after(this.#watch.closely ? CLOSE_POLL_MS : this.#idlePollMs, () =>
          this.#wake.resolve(),
        );
        if (!signal.aborted) await this.#wake.promise;
      }
    } catch (err) {
      if (!signal.aborted) throw err;
    } finally {
      signal.removeEventListener('abort', onAbort);
    }
  }
}

function toHost<T extends { readonly addresses: readonly StorageAddress[] }>({ addresses, ...rest }: T) {
  return { ...rest, addresses: addresses.map(({ value }) => value) };
}

/** Addresses of one node count once; an address of no known node is a host of its own. */
function countLiveHosts(query: StorageQuery, live: ReadonlySet<string>): number {
  const owners = ownersOf(query);
  return new Set([...live].map((address) => owners.get(address) ?? address)).size;
}

/** Live hosts that are no known node's. */
function unattributed(
  query: StorageQuery,
  live: ReadonlySet<string>,
  { addresses }: ActivityMemory,
): readonly UnattributedSession[] {
  const owners = ownersOf(query);
  if (owners.size === 0) return [];
  return [...live]
    .filter((address) => !owners.has(address))
    .map((value) => ({
      address: { kind: 'ip', value },
      lastActivityMs: addresses.get(value)?.lastActivityMs ?? 0,
    }));
}

function ownersOf({ suspects, peers }: StorageQuery): ReadonlyMap<string, string> {
  const owners = new Map<string, string>();
  for (const { name, addresses } of [...suspects, ...peers]) {
    for (const { value } of addresses) owners.set(normaliseAddress(value) ?? value, `node ${name}`);
  }
  return owners;
}
