import { CoreError } from '../model/errors.ts';
import type {
  FenceFact,
  FenceGuard,
  FenceIdentity,
  NodeEvidence,
  StorageReading,
  StoredVolumeFact,
  UnknownReason,
} from '../model/facts.ts';
import type { Clock } from '../ports/clock.ts';
import type { StorageBackend, StorageFleet, StorageNode, StorageQuery } from '../ports/ports.ts';

type Scripted =
  | { readonly kind: 'live' }
  | { readonly kind: 'silent'; readonly silentSinceMs: number; readonly lastActivityMs?: number }
  | { readonly kind: 'unknown'; readonly reason: UnknownReason };

/** One call that changes the backend. */
export type BackendCall =
  | { readonly kind: 'fence'; readonly fence: FenceIdentity; readonly addresses: readonly string[] }
  | { readonly kind: 'unfence'; readonly fence: FenceFact };

/**
 * A storage backend that says what it is told to say. A suspect it was told nothing about is `never-seen-live`, one without an
 * address is `no-address`; it exports
 * every volume it is asked about, and their write counters have always stood still.
 */
export class FakeStorageBackend implements StorageBackend {
  readonly name: string;
  /** What was asked, in order. */
  readonly observations: StorageQuery[] = [];
  readonly calls: BackendCall[] = [];
  /** Runs before each answer of `observe`: throw to make it reject, wait to make it slow. */
  before: () => void | Promise<void> = () => undefined;
  /** Runs before each change takes effect: throw to make it fail. */
  beforeChange: (call: BackendCall) => void | Promise<void> = () => undefined;
  /** Hosts live in each reading, when the backend is up. */
  liveHosts = 1;
  /** `false`: every suspect is `unknown` with reason `backend-unreachable`. */
  reachable = true;
  guard: FenceGuard = { kind: 'enforced' };
  lastReading: StorageReading | undefined;
  /** Fences at the backend, by id. */
  readonly fences: Map<string, FenceFact> = new Map();
  readonly #clock: Clock;
  readonly #scripted = new Map<string, Scripted>();
  readonly #volumes = new Map<string, StoredVolumeFact | undefined>();

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

  /** `undefined`: the backend does not export the volume. */
  setVolume(volumeHandle: string, volume: StoredVolumeFact | undefined): void {
    this.#volumes.set(volumeHandle, volume);
  }

  async observe(query: StorageQuery, signal: AbortSignal): Promise<StorageReading> {
    signal.throwIfAborted();
    this.observations.push(query);
    await this.before();
    const observedAtMs = this.#clock.now();
    const evidence = new Map(
      query.suspects.map((node) => [node.name, this.#evidence(node, observedAtMs)] as const),
    );
    if (!this.reachable) return { observedAtMs, evidence };
    const volumes = new Map<string, StoredVolumeFact>();
    for (const { volumeHandle } of query.volumes) {
      const volume = this.#volumes.has(volumeHandle)
        ? this.#volumes.get(volumeHandle)
        : { writesStillSinceMs: 0 };
      if (volume) volumes.set(volumeHandle, volume);
    }
    const { liveHosts, guard } = this;
    this.lastReading = {
      observedAtMs,
      evidence,
      liveHosts,
      guard,
      fences: [...this.fences.values()],
      volumes,
    };
    return this.lastReading;
  }

  async fence(fence: FenceIdentity, addresses: readonly string[], signal: AbortSignal): Promise<void> {
    await this.#begin({ kind: 'fence', fence, addresses }, signal);
    const known = this.fences.get(fence.id);
    const all = [...new Set([...(known?.addresses ?? []), ...addresses])];
    if (all.length === known?.addresses.length) return;
    this.fences.set(fence.id, { ...fence, addresses: all, seenSinceMs: this.#clock.now() });
  }

  async unfence(fence: FenceFact, signal: AbortSignal): Promise<void> {
    await this.#begin({ kind: 'unfence', fence }, signal);
    this.fences.delete(fence.id);
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
