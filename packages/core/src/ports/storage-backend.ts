import type { PersistentVolumeFact } from '../model/facts.ts';
import type { Fence, FenceRecord } from '../model/fence-record.ts';
import type { StorageAddress, StorageAddressKind } from '../model/storage-address.ts';
import type { StorageQuery } from '../model/storage-query.ts';
import type { StorageReading } from '../model/storage-reading.ts';

/** What a backend can do, as data. */
export interface BackendCapabilities {
  /** Kinds of address by which it knows hosts and cuts them off. */
  readonly addressKinds: readonly StorageAddressKind[];
  /** Versions of IP over which hosts reach it: their other addresses do not matter to it. Absent: both. */
  readonly ipVersions?: readonly (4 | 6)[];
  /** It can cut hosts off; without that, nothing at it is ever released. */
  readonly canFence: boolean;
}

/** Whether a backend can be read, for readiness and for people. */
export interface BackendHealth {
  readonly connected: boolean;
  /** Why it is not connected, or what it is. */
  readonly detail: string;
  /** When the last complete reading was requested, epoch ms; absent before the first. */
  readonly lastReadingAtMs?: number;
}

/**
 * What a backend says about a volume. `mine`: the volume names it; `other`: the volume names another one, or is reached in a
 * way that this backend does not see; `unnamed`: the volume names none, so it belongs to the only backend there is.
 */
export type VolumeClaim = 'mine' | 'other' | 'unnamed';

/** What a backend is to read while no pass asks. */
export interface BackendWatch {
  readonly query: StorageQuery;
  /** A node may be dying: read at least every 5 s, so that its queues are seen closing. */
  readonly closely: boolean;
}

/** One storage backend: the witness of who still writes, and the place where a node is cut off. */
export interface StorageBackend extends AsyncDisposable {
  /** For logs, spans and people; unique among the backends. */
  readonly name: string;
  /** Names the product, `rds`: the descriptor's kind. */
  readonly kind: string;
  readonly capabilities: BackendCapabilities;
  /** The last complete reading, however old; absent before the first. Makes no request. */
  readonly lastReading: StorageReading | undefined;

  /**
   * Connects and reads in the background until `signal` aborts: at once, after each reconnect and at the idle cadence, so
   * that hosts are known before one of them dies. @throws {TypeError} when it was started before
   */
  start(signal: AbortSignal): void;
  /** What to read while no pass asks, from now on. With `closely` a reading older than 5 s is renewed at once. */
  watch(watch: BackendWatch): void;
  health(): BackendHealth;
  /** Calls `listener` after a lost connection is back. */
  onReconnect(listener: () => void): Disposable;
  /** Calls `listener` once per outage. */
  onDisconnect(listener: (error: Error) => void): Disposable;
  claimOf(volume: PersistentVolumeFact): VolumeClaim;

  /** Reads once. A fault of the backend is `unknown` evidence, never a rejection; rejects only with `signal.reason`. */
  observe(query: StorageQuery, signal: AbortSignal): Promise<StorageReading>;
  /**
   * Cuts `addresses` off for `record` and reads that back. Idempotent. Addresses that another record of the same cluster and
   * owner holds are re-stamped with this one; those of other owners are left alone. Restores entries of the record that were
   * removed, disabled or given an end.
   * @throws with `code` and `outcome` when the backend refused or the read-back does not show the fence
   */
  fence(record: FenceRecord, addresses: readonly StorageAddress[], signal: AbortSignal): Promise<void>;
  /** Removes what this very fence put there, and nothing else, and reads that back. @throws as `fence` does */
  unfence(fence: Fence, signal: AbortSignal): Promise<void>;
}
