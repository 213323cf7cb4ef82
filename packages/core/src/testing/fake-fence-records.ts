import type { FenceRecord } from '../model/fence-record.ts';
import type { FenceRecords } from '../ports/fence-records.ts';

/** Fence records in memory, which outlive the processes of a test. */
export class FakeFenceRecords implements FenceRecords {
  /** By `backend/id`. */
  readonly records: Map<string, { readonly backend: string; readonly record: FenceRecord }> = new Map();
  /** Runs before each call: throw to make it fail. */
  before: (call: 'write' | 'remove' | 'read') => void | Promise<void> = () => undefined;

  async write(backend: string, record: FenceRecord, signal: AbortSignal): Promise<void> {
    await this.#begin('write', signal);
    this.records.set(`${backend}/${record.id}`, { backend, record });
  }

  async remove(backend: string, fenceId: string, signal: AbortSignal): Promise<void> {
    await this.#begin('remove', signal);
    this.records.delete(`${backend}/${fenceId}`);
  }

  async read(signal: AbortSignal): Promise<ReadonlyMap<string, readonly FenceRecord[]>> {
    await this.#begin('read', signal);
    const byBackend = Map.groupBy(this.records.values(), ({ backend }) => backend);
    return new Map([...byBackend].map(([backend, all]) => [backend, all.map(({ record }) => record)]));
  }

  async #begin(call: 'write' | 'remove' | 'read', signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    await this.before(call);
  }
}
