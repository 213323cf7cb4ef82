import { type Logger, type LostNodeRecord, type LostNodeRecords, silentLogger } from '@reattach/core';
import {
  apiPaths,
  asObject,
  type JsonObject,
  type KubeApi,
  KubeApiError,
  objectAt,
  textAt,
} from '@reattach/k8s-api';
import { getLive, REQUEST_TIMEOUT_MS } from './live-object.ts';

/** Annotation that holds the records, as JSON. */
const LOST_NODES = 'reattach.srvlab.io/lost-nodes';

/** Notes kept; the oldest go first. */
const MAX_RECORDS = 16;

/** Longest text of all records, bytes: an object's annotations may have 256 KiB in all. @see kube-apiserver, TotalAnnotationSizeLimitB */
const MAX_BYTES = 200_000;

/** A conflict means that the next leader has taken over, or the last one not quite stopped: hardly more than once. */
const MAX_ATTEMPTS = 3;

export interface LeaseRecordsOptions {
  /** Writes must be guarded by leadership. @see guardWrites */
  readonly api: KubeApi;
  /** Namespace of the Lease: the replica's own. */
  readonly namespace: string;
  /** Name of a Lease that nobody holds. */
  readonly name: string;
  readonly logger?: Logger;
}

type NamedRecord = LostNodeRecord & { readonly node: string };

/** Notes in an annotation of a Lease of their own: a Lease, since a leader may write those anyway. */
export class LeaseRecords implements LostNodeRecords {
  readonly #api: KubeApi;
  readonly #namespace: string;
  readonly #name: string;
  readonly #logger: Logger;
  /** How the last read failed, which is logged once. */
  #failing: string | undefined;

  constructor({ api, namespace, name, logger = silentLogger }: LeaseRecordsOptions) {
    this.#api = api;
    this.#namespace = namespace;
    this.#name = name;
    this.#logger = logger;
  }

  /** @throws {KubeApiError} when it could not be written, `CONFLICT` when others kept writing. */
  async write(node: string, record: LostNodeRecord, signal: AbortSignal): Promise<void> {
    for (let attempt = 1; ; attempt++) {
      try {
        return await this.#write({ node, ...record }, signal);
      } catch (err) {
        const isConflict = err instanceof KubeApiError && err.code === 'CONFLICT';
        if (!isConflict || attempt === MAX_ATTEMPTS) throw err;
      }
    }
  }

  async read(signal: AbortSignal): Promise<ReadonlyMap<string, LostNodeRecord>> {
    try {
      const records = recordsIn(await this.#get(signal));
      this.#failing = undefined;
      return new Map(records.map((record) => [record.node, record]));
    } catch (err) {
      signal.throwIfAborted();
      const failure = err instanceof Error ? err.message : String(err);
      const level = failure === this.#failing ? 'debug' : 'warn';
      this.#failing = failure;
      this.#logger[level]('Notes about lost nodes were not read', { err, lease: this.#name });
      return new Map();
    }
  }

  async #write(record: NamedRecord, signal: AbortSignal): Promise<void> {
    const lease = await this.#get(signal);
    const known = recordsIn(lease);
    if (known.some((each) => JSON.stringify(each) === JSON.stringify(record))) return;
    const annotations = {
      [LOST_NODES]: textOf([...known.filter(({ node }) => node !== record.node), record]),
    };
    await this.#api.request({
      method: lease ? 'PUT' : 'POST',
      path: lease ? this.#path : apiPaths.leases(this.#namespace),
      body: lease ? annotated(lease, annotations) : this.#newLease(annotations),
      operation: 'record lost node',
      signal,
      timeoutMs: REQUEST_TIMEOUT_MS,
    });
  }

  async #get(signal: AbortSignal): Promise<JsonObject | undefined> {
    return asObject(await getLive(this.#api, 'get records about lost nodes', this.#path, signal));
  }

  #newLease(annotations: Readonly<Record<string, string>>): object {
    return {
      apiVersion: 'coordination.k8s.io/v1',
      kind: 'Lease',
      metadata: { namespace: this.#namespace, name: this.#name, annotations },
    };
  }

  get #path(): string {
    return apiPaths.lease(this.#namespace, this.#name);
  }
}

/** Its resourceVersion stays: the update fails when it has changed since it was read. */
function annotated(lease: JsonObject, annotations: Readonly<Record<string, string>>): object {
  const metadata = objectAt(lease, 'metadata');
  return {
    ...lease,
    metadata: { ...metadata, annotations: { ...objectAt(metadata, 'annotations'), ...annotations } },
  };
}

/** The last records, as many as there is room for. */
function textOf(records: readonly NamedRecord[]): string {
  const kept = records.slice(-MAX_RECORDS);
  let text = JSON.stringify(kept);
  while (kept.length > 1 && Buffer.byteLength(text) > MAX_BYTES) {
    kept.shift();
    text = JSON.stringify(kept);
  }
  return text;
}

/** Whatever is no record of ours is left out. */
function recordsIn(lease: JsonObject | undefined): readonly NamedRecord[] {
  const text = lease && textAt(objectAt(objectAt(lease, 'metadata'), 'annotations'), LOST_NODES);
  if (text === undefined) return [];
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch {
    return [];
  }
  return Array.isArray(parsed) ? parsed.filter(isNote) : [];
}

function isNote(value: unknown): value is NamedRecord {
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
