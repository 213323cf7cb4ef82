import type {
  Clock,
  FenceFact,
  FenceIdentity,
  Logger,
  NodeEvidence,
  StorageBackend,
  StorageQuery,
  StorageReading,
  StoredVolumeFact,
  UnknownReason,
} from '@reattach/core';
import { liveAddresses } from './activity-memory.ts';
import { type BackendState, NO_MEMORY, remember } from './backend-state.ts';
import { type Capabilities, logCapabilities, probeCapabilities } from './capabilities.ts';
import { classifyEvidence } from './classify-evidence.ts';
import type { ConnectionManager } from './connection-manager.ts';
import { type FenceLink, fenceAddresses, unfenceEntries } from './fence-effects.ts';
import { matchVolume } from './match-volume.ts';
import { RdsError, type RdsErrorCode } from './rds-error.ts';
import { readSnapshot } from './read-snapshot.ts';
import type { RouterOsClient } from './router-os-client.ts';
import { normaliseAddress } from './routeros/ip-address.ts';
import type { Snapshot } from './snapshot.ts';
import type { SshSession } from './ssh/ssh-session.ts';
import type { RdsMetrics } from './telemetry/instruments.ts';
import { unlessAborted } from './unless-aborted.ts';

/** Whether a backend can be asked, for readiness and for people. */
export interface BackendHealth {
  readonly connected: boolean;
  /** Version and dialect, or why it is not connected. */
  readonly detail: string;
  /** When the last complete reading was made, epoch ms; absent before the first. */
  readonly lastReadingAtMs?: number;
}

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
  readonly metrics?: RdsMetrics;
}

/** Asks about nobody: what nodes do while they are well is learned before one of them is lost. */
const IDLE_QUERY: StorageQuery = { suspects: [], peers: [], volumes: [] };

/** The backend's answer was there, but it is none. */
const NOT_UNDERSTOOD: ReadonlySet<RdsErrorCode> = new Set([
  'MALFORMED',
  'INCOMPLETE',
  'REFUSED',
  'UNSUPPORTED_VERSION',
]);

/**
 * One ROSE Data Server as witness and fence. Knows nothing that is not at the backend but who was seen active since the backend
 * last booted; a new process therefore says `unknown` until it has seen a node once, or the entry of its session.
 */
export class RdsBackend implements StorageBackend, AsyncDisposable {
  readonly name: string;
  /** Addresses volumes name this backend by. */
  readonly storageAddresses: readonly string[];
  readonly #connection: ConnectionManager;
  readonly #client: RouterOsClient;
  readonly #clock: Clock;
  readonly #logger: Logger;
  readonly #activityWindowMs: number;
  readonly #idlePollMs: number;
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

  /** @see ConnectionManager.onReconnect */
  onReconnect(listener: () => void): Disposable {
    return this.#connection.onReconnect(listener);
  }

  /** @see ConnectionManager.onDisconnect */
  onDisconnect(listener: (error: RdsError) => void): Disposable {
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

  async fence(fence: FenceIdentity, addresses: readonly string[], signal: AbortSignal): Promise<void> {
    const changed = await fenceAddresses(() => this.#fenceLink(signal), fence, addresses);
    if (!changed) return;
    this.#logger.info('Fenced node at storage backend', {
      backend: this.name,
      node: fence.nodeName,
      fence: fence.id,
    });
  }

  async unfence(fence: FenceFact, signal: AbortSignal): Promise<void> {
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
    this.#lifetime.abort(new RdsError('CLOSED', 'not-applied', `backend ${this.name} was disposed`));
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
      if (!(cause instanceof RdsError)) throw cause;
      throw new RdsError(
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
        const final = err instanceof RdsError && err.code === 'UNSUPPORTED_VERSION';
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
    const { memory, fences, guard, restarted } = remember(this.#memory, snapshot, this.#activityWindowMs);
    this.#memory = memory;
    if (restarted)
      this.#logger.info('Storage backend was restarted or the clock was set', { backend: this.name });
    const volumes = new Map<string, StoredVolumeFact>();
    for (const volume of query.volumes) {
      const found = matchVolume(volume, snapshot.exports);
      if (!found) continue;
      const writesStillSinceMs = memory.writes.get(found.slot)?.sinceMs;
      const inFlightOps = snapshot.writeCounters.get(found.slot)?.inFlightOps ?? '0';
      volumes.set(volume.volumeHandle, {
        ...(writesStillSinceMs !== undefined && { writesStillSinceMs }),
        ...(inFlightOps !== '0' && { writesUnderWay: true }),
      });
    }
    const inForce = guard.kind === 'enforced' ? fences : [];
    const evidence = classifyEvidence(query, snapshot, memory.activity, this.#activityWindowMs, inForce);
    const liveHosts = countLiveHosts(query, liveAddresses(memory.activity, snapshot, this.#activityWindowMs));
    return {
      observedAtMs: snapshot.takenAtMs,
      evidence,
      ...(snapshot.tracking.on && { liveHosts }),
      fences,
      guard,
      volumes,
    };
  }

  #unreadable({ suspects }: StorageQuery, err: unknown): StorageReading {
    const code = err instanceof RdsError ? err.code : 'UNAVAILABLE';
    const detail = err instanceof Error ? err.message : 'the backend could not be read';
    const fields = { backend: this.name, code, err };
    if (this.#failing?.code === code) this.#logger.debug('Storage backend was not read', fields);
    else this.#logger.warn('Storage backend was not read', fields);
    this.#failing = { code, detail };
    const reason: UnknownReason = NOT_UNDERSTOOD.has(code) ? 'output-not-understood' : 'backend-unreachable';
    const observedAtMs = this.#clock.now();
    const unknown: NodeEvidence = { kind: 'unknown', observedAtMs, reason, detail };
    return { observedAtMs, evidence: new Map(suspects.map(({ name }) => [name, unknown])) };
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
        await this.observe(IDLE_QUERY, signal);
        using _timer = this.#clock.after(this.#idlePollMs, () => this.#wake.resolve());
        if (!signal.aborted) await this.#wake.promise;
      }
    } catch (err) {
      if (!signal.aborted) throw err;
    } finally {
      signal.removeEventListener('abort', onAbort);
    }
  }
}

/** Addresses of one node count once; an address of no known node is a host of its own. */
function countLiveHosts({ suspects, peers }: StorageQuery, live: ReadonlySet<string>): number {
  const owner = new Map<string, string>();
  for (const { name, addresses } of [...suspects, ...peers]) {
    for (const address of addresses) owner.set(normaliseAddress(address) ?? address, `node ${name}`);
  }
  return new Set([...live].map((address) => owner.get(address) ?? address)).size;
}
