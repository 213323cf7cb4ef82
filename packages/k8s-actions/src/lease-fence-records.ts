import { type FenceRecord, type FenceRecords, STORAGE_ADDRESS_KINDS } from '@reattach/core';
import { asObject, type JsonObject, KubeApiError } from '@reattach/k8s-api';
import { AnnotatedLease, type LeaseRecordOptions } from './annotated-lease.ts';

const ANNOTATION = 'reattach.srvlab.io/fences';

/** Fields of a record that are texts and may be absent. */
const OPTIONAL_TEXTS = ['clusterId', 'owner', 'nodeUid', 'machineId', 'bootId'];

type Entry = FenceRecord & { readonly backend: string };

/**
 * The records of all fences, in the annotation `reattach.srvlab.io/fences` of a Lease. Nothing is dropped for want of room,
 * because a fence without its record could never be lifted by proof: a record that does not fit is refused.
 */
export class LeaseFenceRecords implements FenceRecords {
  readonly #lease: AnnotatedLease;
  readonly #place: string;

  constructor(options: LeaseRecordOptions) {
    this.#lease = new AnnotatedLease(options, ANNOTATION);
    this.#place = `annotation ${ANNOTATION} of Lease ${options.namespace}/${options.name}`;
  }

  /**
   * Adds the record, or replaces the one with its id at that backend.
   * @throws as `AnnotatedLease.update` does; {KubeApiError} `MALFORMED` when the annotation holds no such records
   */
  write(backend: string, record: FenceRecord, signal: AbortSignal): Promise<void> {
    return this.#lease.update((text) => {
      const entries = this.#parse(text);
      const entry = { backend, ...record };
      const isKnown = entries.some((each) => JSON.stringify(each) === JSON.stringify(entry));
      if (text !== undefined && isKnown) return text;
      return JSON.stringify([...entries.filter((each) => !isThat(each, backend, record.id)), entry]);
    }, signal);
  }

  /** Removes the record of that fence. Idempotent. @throws as `write` does */
  remove(backend: string, fenceId: string, signal: AbortSignal): Promise<void> {
    return this.#lease.update((text) => {
      const entries = this.#parse(text);
      const kept = entries.filter((each) => !isThat(each, backend, fenceId));
      return text !== undefined && kept.length === entries.length ? text : JSON.stringify(kept);
    }, signal);
  }

  /** @throws as `AnnotatedLease.read` does; {KubeApiError} `MALFORMED` when the annotation holds no such records */
  async read(signal: AbortSignal): Promise<ReadonlyMap<string, readonly FenceRecord[]>> {
    const entries = this.#parse(await this.#lease.read(signal));
    const byBackend = Map.groupBy(entries, ({ backend }) => backend);
    return new Map([...byBackend].map(([backend, records]) => [backend, records.map(withoutBackend)]));
  }

  /** All or nothing: a record that was changed by hand may stand for a fence that has to stay. */
  #parse(text: string | undefined): readonly Entry[] {
    if (text === undefined) return [];
    let parsed: unknown;
    try {
      parsed = JSON.parse(text);
    } catch {
      parsed = undefined;
    }
    if (Array.isArray(parsed) && parsed.every(isEntry)) return parsed;
    throw new KubeApiError(
      'MALFORMED',
      'not-applied',
      `${this.#place} does not hold fence records: restore it, or remove it once no fence of the backends is needed`,
    );
  }
}

function isThat(entry: Entry, backend: string, id: string): boolean {
  return entry.backend === backend && entry.id === id;
}

function withoutBackend({ backend: _backend, ...record }: Entry): FenceRecord {
  return record;
}

function isEntry(value: unknown): value is Entry {
  const entry = asObject(value);
  return (
    entry !== undefined &&
    ['backend', 'id', 'nodeName'].every((key) => typeof entry[key] === 'string') &&
    OPTIONAL_TEXTS.every((key) => entry[key] === undefined || typeof entry[key] === 'string') &&
    typeof entry['fencedAtMs'] === 'number' &&
    Array.isArray(entry['addresses']) &&
    entry['addresses'].map(asObject).every(isAddress)
  );
}

function isAddress(address: JsonObject | undefined): boolean {
  return (
    STORAGE_ADDRESS_KINDS.some((kind) => kind === address?.['kind']) && typeof address?.['value'] === 'string'
  );
}
