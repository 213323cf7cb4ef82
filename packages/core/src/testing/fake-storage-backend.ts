import { CoreError } from '../model/errors.ts';
import type { Fence, FenceRecord } from '../model/fence-record.ts';
import type { FenceState } from '../model/fence-state.ts';
import { ipAddresses, type StorageAddress, servedAddresses } from '../model/storage-address.ts';
import type { StorageNode, StorageQuery } from '../model/storage-query.ts';
import type {
  Enforcement,
  NodeEvidence,
  StorageReading,
  UnattributedSession,
  UnknownReason,
} from '../model/storage-reading.ts';
import type { Clock } from '../ports/clock.ts';
import type { StorageFleet } from '../ports/ports.ts';
import type {
  BackendCapabilities,
  BackendHealth,
  BackendWatch,
  StorageBackend,
  VolumeClaim,
} from '../ports/storage-backend.ts';
import { judgeFence } from './judge-fence.ts';

type Scripted =
  | { readonly kind: 'live' }
  | { readonly kind: 'silent'; readonly silentSinceMs: number; readonly lastActivityMs?: number }
  | { readonly kind: 'unknown'; readonly reason: UnknownReason };

/** One call that changes the backend; addresses as text. */
export type BackendCall =
  | { readonly kind: 'fence'; readonly fence: FenceRecord; readonly addresses: readonly string[] }
  | { readonly kind: 'unfence'; readonly fence: Fence };

/** A fence at the fake, with its addresses as text, all in force. */
export type FakeFence = Omit<FenceRecord, 'addresses'> & {
  readonly addresses: readonly string[];
  readonly seenSinceMs: number;
};

/**
 * A storage backend whose evidence is scripted. A suspect without a script is `never-seen-live`, one without an address is
 * `no-address`. It exports every volume it is asked about, and judges fences as `judgeFence` does unless set otherwise.
 */
export class FakeStorageBackend implements StorageBackend {
  readonly name: string;
  readonly kind = 'fake';
  capabilities: BackendCapabilities = { addressKinds: ['ip'], canFence: true };
  /** What was asked, in order. */
  readonly observations: StorageQuery[] = [];
  readonly calls: BackendCall[] = [];
  /** The watches it was given for idle times, in order. */
  readonly watches: BackendWatch[] = [];
  /** Runs before each answer of `observe`: throw to make it reject, wait to make it slow. */
  before: () => void | Promise<void> = () => undefined;
  /** Runs before each change takes effect: throw to make it fail. */
  beforeChange: (call: BackendCall) => void | Promise<void> = () => undefined;
  /** Hosts live in each reading, when the backend is up. */
  liveHosts = 1;
  /** `false`: every suspect is `unknown` with reason `backend-unreachable`. */
  reachable = true;
  enforcement: Enforcement = { kind: 'enforced' };
  unattributed: readonly UnattributedSession[] = [];
  lastReading: StorageReading | undefined;
  /** Fences at the backend, by id. */
  readonly fences: Map<string, FakeFence> = new Map();
  readonly #clock: Clock;
  readonly #scripted = new Map<string, Scripted>();
  readonly #states = new Map<string, FenceState>();
  readonly #missing = new Set<string>();
  readonly #reconnects = new Set<() => void>();
  readonly #disconnects = new Set<(error: Error) => void>();

  constructor(clock: Clock, name = 'backend-a') {
    this.#clock = clock;
    this.name = name;
  }

  setLive(nodeName: string): void {
    this.#scripted.set(nodeName, { kind: 'live' });
  }

  /** @param silentSinceMs epoch ms; default now. */
  setSilent(nodeName: string, silentSinceMs: number = this.#clock.now(), lastActivityMs?: number): void {
    this.#scripted.set(nodeName, {
      kind: 'silent',
      silentSinceMs,
      ...(lastActivityMs !== undefined && { lastActivityMs }),
    });
  }

  setUnknown(nodeName: string, reason: UnknownReason): void {
    this.#scripted.set(nodeName, { kind: 'unknown', reason });
  }

  /** `undefined`: judged by its fences again. */
  setFenceState(nodeName: string, state: FenceState | undefined): void {
    if (state) this.#states.set(nodeName, state);
    else this.#states.delete(nodeName);
  }

  /** Whether the backend exports the volume; by default it exports every volume. */
  setExported(volumeHandle: string, isExported: boolean): void {
    if (isExported) this.#missing.delete(volumeHandle);
    else this.#missing.add(volumeHandle);
  }

  start(): void {
    // Nothing is read while idle: tests ask.
  }

  watch(watch: BackendWatch): void {
    this.watches.push(watch);
  }

  health(): BackendHealth {
    return { connected: this.reachable, detail: this.reachable ? 'scripted' : 'scripted: unreachable' };
  }

  onReconnect(listener: () => void): Disposable {
    this.#reconnects.add(listener);
    return { [Symbol.dispose]: () => void this.#reconnects.delete(listener) };
  }

  onDisconnect(listener: (error: Error) => void): Disposable {
    this.#disconnects.add(listener);
    return { [Symbol.dispose]: () => void this.#disconnects.delete(listener) };
  }

  /** Loses or regains the connection, as listeners see it. */
  setConnected(isConnected: boolean): void {
    this.reachable = isConnected;
    if (isConnected) for (const listener of this.#reconnects) listener();
    else for (const listener of this.#disconnects) listener(new Error('scripted: unreachable'));
  }

  /** A volume's attribute `address` names its backend. */
  claimOf({
    volumeAttributes,
  }: {
    readonly volumeAttributes: Readonly<Record<string, string>>;
  }): VolumeClaim {
    const address = volumeAttributes['address'];
    if (address === undefined) return 'unnamed';
    return address === this.name ? 'mine' : 'other';
  }

  async observe(query: StorageQuery, signal: AbortSignal): Promise<StorageReading> {
    signal.throwIfAborted();
    this.observations.push(query);
    await this.before();
    const observedAtMs = this.#clock.now();
    const evidence = new Map(
      query.suspects.map((node) => [node.name, this.#evidence(node, observedAtMs)] as const),
    );
    if (!this.reachable) return { observedAtMs, evidence, fenceStates: new Map(), unattributed: [] };
    const handles = query.suspects.flatMap(({ volumes }) => volumes.map(({ volumeHandle }) => volumeHandle));
    const { liveHosts, enforcement, unattributed } = this;
    const fences = [...this.fences.values()].map(toFence);
    this.lastReading = {
      observedAtMs,
      evidence,
      fenceStates: new Map(
        query.suspects.map((suspect) => {
          const addresses = servedAddresses(suspect.addresses, this.capabilities.ipVersions);
          const node = { ...suspect, addresses };
          const facts = { node, query, evidence: evidence.get(node.name), fences, enforcement, observedAtMs };
          return [node.name, this.#states.get(node.name) ?? judgeFence(facts)] as const;
        }),
      ),
      liveHosts,
      unattributed,
      enforcement,
      fences,
      volumes: new Set(handles.filter((handle) => !this.#missing.has(handle))),
    };
    return this.lastReading;
  }

  async fence(fence: FenceRecord, addresses: readonly StorageAddress[], signal: AbortSignal): Promise<void> {
    const texts = addresses.map(({ value }) => value);
    await this.#begin({ kind: 'fence', fence, addresses: texts }, signal);
    const known = this.fences.get(fence.id);
    const all = [...new Set([...(known?.addresses ?? []), ...texts])];
    if (all.length === known?.addresses.length) return;
    this.fences.set(fence.id, { ...fence, addresses: all, seenSinceMs: this.#clock.now() });
  }

  async unfence(fence: Fence, signal: AbortSignal): Promise<void> {
    await this.#begin({ kind: 'unfence', fence }, signal);
    this.fences.delete(fence.id);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    // Nothing is open.
  }

  async #begin(call: BackendCall, signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    this.calls.push(call);
    await this.beforeChange(call);
    if (!this.reachable) throw new CoreError('STORE_FAILED', 'unknown', 'scripted: backend unreachable');
  }

  #evidence({ name, addresses }: StorageNode, observedAtMs: number): NodeEvidence {
    const detail = `scripted for ${name}`;
    const unknown = (reason: UnknownReason): NodeEvidence => ({
      kind: 'unknown',
      observedAtMs,
      reason,
      detail,
    });
    if (!this.reachable) return unknown('backend-unreachable');
    if (addresses.length === 0) return unknown('no-address');
    const scripted = this.#scripted.get(name) ?? { kind: 'unknown', reason: 'never-seen-live' };
    if (scripted.kind === 'unknown') return unknown(scripted.reason);
    return scripted.kind === 'live'
      ? { kind: 'live', observedAtMs, lastActivityMs: observedAtMs, detail }
      : { ...scripted, observedAtMs, detail };
  }
}

function toFence({ addresses, ...fence }: FakeFence): Fence {
  return { ...fence, addresses: ipAddresses(addresses), inForce: ipAddresses(addresses) };
}

/** A fleet of the given backends; a volume's attribute `address` names its backend, without it the first one holds it. */
export function fakeFleet(...backends: readonly StorageBackend[]): StorageFleet {
  return {
    backends,
    backendOf: ({ volumeAttributes }) => {
      const address = volumeAttributes['address'];
      return address === undefined ? backends[0] : backends.find(({ name }) => name === address);
    },
  };
}
