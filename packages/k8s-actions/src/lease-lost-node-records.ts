import { type Logger, type LostNodeRecord, type LostNodeRecords, silentLogger } from '@reattach/core';
import { asObject } from '@reattach/k8s-api';
import { AnnotatedLease, type LeaseRecordOptions, MAX_TEXT_BYTES } from './annotated-lease.ts';
import { parseJsonList } from './parse-json-list.ts';

/** Records kept; the oldest go first. */
const MAX_RECORDS = 128;

type NamedRecord = LostNodeRecord & { readonly node: string };

/** Records of deleted Nodes in the annotation `reattach.srvlab.io/lost-nodes` of a Lease. */
export class LeaseLostNodeRecords implements LostNodeRecords {
  readonly #lease: AnnotatedLease;
  readonly #name: string;
  readonly #logger: Logger;
  /** How the last read failed, which is logged once. */
  #failing: string | undefined;

  constructor({ logger = silentLogger, ...options }: LeaseRecordOptions & { readonly logger?: Logger }) {
    this.#lease = new AnnotatedLease(options, 'reattach.srvlab.io/lost-nodes');
    this.#name = options.name;
    this.#logger = logger;
  }

  /**
   * Replaces the record of the node. The oldest records go when there are more than 128, or more than 200 kB of them.
   * @throws as `AnnotatedLease.update` does
   */
  write(node: string, record: LostNodeRecord, signal: AbortSignal): Promise<void> {
    return this.#lease.update((text) => {
      const records = recordsIn(text);
      const isKnown = records.some((each) => JSON.stringify(each) === JSON.stringify({ node, ...record }));
      if (text !== undefined && isKnown) return text;
      return textOf([...records.filter((each) => each.node !== node), { node, ...record }]);
    }, signal);
  }

  async read(signal: AbortSignal): Promise<ReadonlyMap<string, LostNodeRecord>> {
    try {
      const records = recordsIn(await this.#lease.read(signal));
      this.#failing = undefined;
      return new Map(records.map((record) => [record.node, record]));
    } catch (err) {
      signal.throwIfAborted();
      const failure = err instanceof Error ? err.message : String(err);
      const level = failure === this.#failing ? 'debug' : 'warn';
      this.#failing = failure;
      this.#logger[level]('Records of lost nodes were not read', { err, lease: this.#name });
      return new Map();
    }
  }
}

/** The last records, as many as there is room for. */
function textOf(records: readonly NamedRecord[]): string {
  const kept = records.slice(-MAX_RECORDS);
  let text = JSON.stringify(kept);
  while (kept.length > 1 && Buffer.byteLength(text) > MAX_TEXT_BYTES) {
    kept.shift();
    text = JSON.stringify(kept);
  }
  return text;
}

/** Leaves out entries that are not records. */
function recordsIn(text: string | undefined): readonly NamedRecord[] {
  return parseJsonList(text).filter(isRecord);
}

function isRecord(value: unknown): value is NamedRecord {
  const record = asObject(value);
  return (
    record !== undefined &&
    typeof record['node'] === 'string' &&
    isTexts(record['addresses']) &&
    isTexts(record['attachmentUids'])
  );
}

function isTexts(value: unknown): value is readonly string[] {
  return Array.isArray(value) && value.every((each) => typeof each === 'string');
}
