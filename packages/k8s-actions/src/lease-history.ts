import { asObject, type JsonObject } from '@reattach/k8s-api';
import { AnnotatedLease, type LeaseRecordOptions, MAX_TEXT_BYTES } from './annotated-lease.ts';
import { parseJsonList } from './parse-json-list.ts';

/**
 * What was done, in the annotation `reattach.srvlab.io/history` of a Lease, so that it survives restarts and is the same for every
 * replica. Keeps the latest records that fit into 200 kB, some 250.
 */
export class LeaseHistory {
  readonly #lease: AnnotatedLease;

  constructor(options: LeaseRecordOptions) {
    this.#lease = new AnnotatedLease(options, 'reattach.srvlab.io/history');
  }

  /** Oldest first; entries that are not records are left out. @throws as `AnnotatedLease.read` does */
  async read(signal: AbortSignal): Promise<readonly JsonObject[]> {
    return recordsIn(await this.#lease.read(signal));
  }

  /** @throws as `AnnotatedLease.update` does */
  append(records: readonly object[], signal: AbortSignal): Promise<void> {
    return this.#lease.update((text) => textOf([...recordsIn(text), ...records]), signal);
  }
}

/** The last records, as many as there is room for. */
function textOf(records: readonly object[]): string {
  const texts = records.map((record) => JSON.stringify(record));
  let bytes = 2;
  let from = texts.length;
  while (from > 0) {
    bytes += Buffer.byteLength(texts[from - 1] ?? '') + 1;
    if (bytes > MAX_TEXT_BYTES) break;
    from--;
  }
  return `[${texts.slice(from).join(',')}]`;
}

function recordsIn(text: string | undefined): readonly JsonObject[] {
  return parseJsonList(text)
    .map(asObject)
    .filter((each) => each !== undefined);
}
