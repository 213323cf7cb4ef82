import type { Fence, FenceRecord } from '../model/fence-record.ts';
import { addressKey, type StorageAddress, unionOfAddresses } from '../model/storage-address.ts';
import type { StorageQuery } from '../model/storage-query.ts';
import type { NodeEvidence, StorageReading } from '../model/storage-reading.ts';
import type { Clock } from '../ports/clock.ts';
import type {
  BackendCapabilities,
  BackendHealth,
  StorageBackend,
  VolumeClaim,
} from '../ports/storage-backend.ts';
import { judgeFence } from './judge-fence.ts';

/** The smallest backend that keeps the contract: hosts are talking or not, and fences are a map. */
export class InMemoryBackend implements StorageBackend {
  readonly name = 'in-memory';
  readonly kind = 'in-memory';
  readonly capabilities: BackendCapabilities = { addressKinds: ['ip', 'nqn'], canFence: true };
  lastReading: StorageReading | undefined;
  isReachable = true;
  /** Volume handles that it exports. */
  readonly exported: Set<string> = new Set();
  /** When each host last talked, by address key. */
  readonly talkedAtMs: Map<string, number> = new Map();
  readonly #fences = new Map<string, Fence>();
  readonly #clock: Clock;
  #isStarted = false;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  start(): void {
    if (this.#isStarted) throw new TypeError('The in-memory backend was already started');
    this.#isStarted = true;
  }

  watch(): void {
    // Nothing happens that a reading could miss.
  }

  health(): BackendHealth {
    return { connected: this.isReachable, detail: this.isReachable ? 'in memory' : 'unreachable' };
  }

  onReconnect(): Disposable {
    return { [Symbol.dispose]: () => undefined };
  }

  onDisconnect(): Disposable {
    return { [Symbol.dispose]: () => undefined };
  }

  claimOf({
    volumeAttributes,
  }: {
    readonly volumeAttributes: Readonly<Record<string, string>>;
  }): VolumeClaim {
    const named = volumeAttributes['backend'];
    return named === undefined ? 'unnamed' : named === this.name ? 'mine' : 'other';
  }

  async observe(query: StorageQuery, signal: AbortSignal): Promise<StorageReading> {
    signal.throwIfAborted();
    const observedAtMs = this.#clock.now();
    const evidence = new Map(query.suspects.map((node) => [node.name, this.#evidence(node.addresses)]));
    if (!this.isReachable) return { observedAtMs, evidence, fenceStates: new Map(), unattributed: [] };
    const fences = [...this.#fences.values()];
    const enforcement = { kind: 'enforced' } as const;
    const facts = { query, fences, enforcement, observedAtMs };
    const fenceStates = new Map(
      query.suspects.map((node) => [
        node.name,
        judgeFence({ ...facts, node, evidence: evidence.get(node.name) }),
      ]),
    );
    const handles = query.suspects.flatMap(({ volumes }) => volumes.map(({ volumeHandle }) => volumeHandle));
    const volumes = new Set(handles.filter((handle) => this.exported.has(handle)));
    return (this.lastReading = {
      observedAtMs,
      evidence,
      fenceStates,
      fences,
      enforcement,
      volumes,
      liveHosts: this.talkedAtMs.size,
      unattributed: [],
    });
  }

  async fence(record: FenceRecord, addresses: readonly StorageAddress[], signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    if (!this.isReachable) throw new Error('UNAVAILABLE: the in-memory backend is unreachable');
    const inForce = unionOfAddresses(this.#fences.get(record.id)?.inForce ?? [], addresses);
    this.#fences.set(record.id, { ...record, addresses: inForce, inForce, seenSinceMs: this.#clock.now() });
  }

  async unfence({ id }: Fence, signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    if (!this.isReachable) throw new Error('UNAVAILABLE: the in-memory backend is unreachable');
    this.#fences.delete(id);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    // Nothing is open.
  }

  #evidence(addresses: readonly StorageAddress[]): NodeEvidence {
    const observedAtMs = this.#clock.now();
    const unknown = (reason: 'backend-unreachable' | 'no-address' | 'never-seen-live'): NodeEvidence => ({
      kind: 'unknown',
      observedAtMs,
      reason,
      detail: `in memory: ${reason}`,
    });
    if (!this.isReachable) return unknown('backend-unreachable');
    if (addresses.length === 0) return unknown('no-address');
    const talked = addresses.flatMap((address) => this.talkedAtMs.get(addressKey(address)) ?? []);
    if (talked.length === 0) return unknown('never-seen-live');
    const lastActivityMs = Math.max(...talked);
    const isLive = observedAtMs - lastActivityMs < 15_000;
    const detail = `talked ${observedAtMs - lastActivityMs} ms ago`;
    if (isLive) return { kind: 'live', observedAtMs, lastActivityMs, detail };
    return { kind: 'silent', observedAtMs, silentSinceMs: lastActivityMs, lastActivityMs, detail };
  }
}
