import type { FenceRecord } from '../model/fence-record.ts';

/**
 * The complete records of our fences, kept outside the backends: a backend may have no room for all of it, and a fence that
 * disappears there must be noticed and restored, also by another process.
 */
export interface FenceRecords {
  /** Adds the record, or replaces the one with its id, before the backend is changed. @throws when it was not written: nothing may be fenced then. */
  write(backendName: string, record: FenceRecord, signal: AbortSignal): Promise<void>;
  /** Removes the record once the backend shows no trace of the fence. Idempotent. */
  remove(backendName: string, fenceId: string, signal: AbortSignal): Promise<void>;
  /** All records by backend name, past every cache. @throws when they could not be read. */
  read(signal: AbortSignal): Promise<ReadonlyMap<string, readonly FenceRecord[]>>;
}
