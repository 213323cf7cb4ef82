import { type FenceOwner, foreignTo } from '../decide/clean-proof.ts';
import type { FenceRecord } from '../model/fence-record.ts';
import { addressKey, describeAddresses, unionOfAddresses } from '../model/storage-address.ts';
import type { StorageReading } from '../model/storage-reading.ts';

/** A fence that was in force and is not any more, though we did not remove it. */
export interface MissingFence {
  readonly record: FenceRecord;
  /** What is missing, in words. */
  readonly why: string;
  /** It has a record outside the process, which is removed before a fence is lifted on purpose. */
  readonly isRecorded: boolean;
}

/**
 * Remembers, per backend, which fences of ours were in force, to notice those that others remove, disable or let expire.
 * Ends with the process or the leadership: then the records and the first reading say what there is.
 */
export class StandingFences {
  readonly #byBackend = new Map<string, Map<string, FenceRecord>>();
  /** Ids of the fences that have a record outside the process, by name of the backend; absent: not read yet. */
  readonly #recorded = new Map<string, Set<string>>();

  /** Names of the nodes that have a fence, by name of the backend. */
  get nodesByBackend(): ReadonlyMap<string, ReadonlySet<string>> {
    return new Map(
      [...this.#byBackend].map(([name, records]) => [name, new Set([...records.values()].map(nameOf))]),
    );
  }

  /** Records what a reading shows. @returns what it should show and does not; without the rule that acts on them, every fence. */
  read(
    backendName: string,
    { fences = [], enforcement }: Pick<StorageReading, 'fences' | 'enforcement'>,
    owner: FenceOwner,
  ): readonly MissingFence[] {
    const ours = fences.filter((fence) => foreignTo(fence, owner) === undefined);
    const inForce = new Set(ours.flatMap((fence) => fence.inForce.map(addressKey)));
    const records = this.#recordsAt(backendName);
    for (const fence of ours) {
      const known = records.get(fence.id)?.addresses ?? [];
      records.set(fence.id, { ...fence, addresses: unionOfAddresses(known, fence.addresses) });
    }
    const recorded = this.#recorded.get(backendName);
    return [...records.values()].flatMap((record) => {
      const isRecorded = recorded?.has(record.id) === true;
      if (enforcement?.kind === 'not-enforced')
        return [{ record, why: `The backend does not act on it: ${enforcement.detail}`, isRecorded }];
      const missing = record.addresses.filter((address) => !inForce.has(addressKey(address)));
      if (missing.length === 0) return [];
      const why = `Its entry for ${describeAddresses(missing)} is missing or not in force`;
      return [{ record, why, isRecorded }];
    });
  }

  isLoaded(backendName: string): boolean {
    return this.#recorded.has(backendName);
  }

  /** Takes over what an earlier process recorded: a fence that disappeared meanwhile is missing. */
  load(backendName: string, recorded: readonly FenceRecord[], owner: FenceOwner): void {
    this.#recorded.set(backendName, new Set(recorded.map(({ id }) => id)));
    const records = this.#recordsAt(backendName);
    for (const record of recorded) {
      if (foreignTo(record, owner) === undefined && !records.has(record.id)) records.set(record.id, record);
    }
  }

  /** Fences that are watched and have no record, such as one whose removal failed after its record was gone. */
  unrecorded(backendName: string): readonly FenceRecord[] {
    const recorded = this.#recorded.get(backendName);
    return recorded ? [...this.#recordsAt(backendName).values()].filter(({ id }) => !recorded.has(id)) : [];
  }

  /** The record of the fence was written. */
  recorded(backendName: string, fenceId: string): void {
    this.#recorded.get(backendName)?.add(fenceId);
  }

  /** The record of the fence may be gone although the fence was not lifted. */
  recordLost(backendName: string, fenceId: string): void {
    this.#recorded.get(backendName)?.delete(fenceId);
  }

  /** A fence was made; it replaces earlier ones of the node. */
  made(backendName: string, record: FenceRecord): void {
    const records = this.#recordsAt(backendName);
    for (const { id, nodeName } of records.values()) if (nodeName === record.nodeName) records.delete(id);
    records.set(record.id, record);
    this.recorded(backendName, record.id);
  }

  /** The fence was removed on purpose. */
  removed(backendName: string, fenceId: string): void {
    this.#recordsAt(backendName).delete(fenceId);
  }

  clear(): void {
    this.#byBackend.clear();
    this.#recorded.clear();
  }

  #recordsAt(backendName: string): Map<string, FenceRecord> {
    const records = this.#byBackend.get(backendName) ?? new Map<string, FenceRecord>();
    this.#byBackend.set(backendName, records);
    return records;
  }
}

function nameOf({ nodeName }: FenceRecord): string {
  return nodeName;
}
