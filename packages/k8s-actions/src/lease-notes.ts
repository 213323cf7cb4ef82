import { type Logger, type LostNodeNote, type LostNodeNotes, silentLogger } from '@reattach/core';
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

/** Annotation that holds the notes, as JSON. */
const LOST_NODES = 'reattach.srvlab.io/lost-nodes';

/** Notes kept; the oldest go first. */
const MAX_NOTES = 16;

/** Longest text of all notes, bytes: an object's annotations may have 256 KiB in all. @see kube-apiserver, TotalAnnotationSizeLimitB */
const MAX_BYTES = 200_000;

/** A conflict means that the next leader has taken over, or the last one not quite stopped: hardly more than once. */
const MAX_ATTEMPTS = 3;

export interface LeaseNotesOptions {
  /** Writes must be guarded by leadership. @see guardWrites */
  readonly api: KubeApi;
  /** Namespace of the Lease: the replica's own. */
  readonly namespace: string;
  /** Name of a Lease that nobody holds. */
  readonly name: string;
  readonly logger?: Logger;
}

type NamedNote = LostNodeNote & { readonly node: string };

/** Notes in an annotation of a Lease of their own: a Lease, since a leader may write those anyway. */
export class LeaseNotes implements LostNodeNotes {
  readonly #api: KubeApi;
  readonly #namespace: string;
  readonly #name: string;
  readonly #logger: Logger;
  /** How the last read failed, which is logged once. */
  #failing: string | undefined;

  constructor({ api, namespace, name, logger = silentLogger }: LeaseNotesOptions) {
    this.#api = api;
    this.#namespace = namespace;
    this.#name = name;
    this.#logger = logger;
  }

  /** @throws {KubeApiError} when it could not be written, `CONFLICT` when others kept writing. */
  async write(node: string, note: LostNodeNote, signal: AbortSignal): Promise<void> {
    for (let attempt = 1; ; attempt++) {
      try {
        return await this.#write({ node, ...note }, signal);
      } catch (err) {
        const isConflict = err instanceof KubeApiError && err.code === 'CONFLICT';
        if (!isConflict || attempt === MAX_ATTEMPTS) throw err;
      }
    }
  }

  async read(signal: AbortSignal): Promise<ReadonlyMap<string, LostNodeNote>> {
    try {
      const notes = notesIn(await this.#get(signal));
      this.#failing = undefined;
      return new Map(notes.map((note) => [note.node, note]));
    } catch (err) {
      signal.throwIfAborted();
      const failure = err instanceof Error ? err.message : String(err);
      const level = failure === this.#failing ? 'debug' : 'warn';
      this.#failing = failure;
      this.#logger[level]('Notes about lost nodes were not read', { err, lease: this.#name });
      return new Map();
    }
  }

  async #write(note: NamedNote, signal: AbortSignal): Promise<void> {
    const lease = await this.#get(signal);
    const known = notesIn(lease);
    if (known.some((each) => JSON.stringify(each) === JSON.stringify(note))) return;
    const annotations = { [LOST_NODES]: textOf([...known.filter(({ node }) => node !== note.node), note]) };
    await this.#api.request({
      method: lease ? 'PUT' : 'POST',
      path: lease ? this.#path : apiPaths.leases(this.#namespace),
      body: lease ? annotated(lease, annotations) : this.#newLease(annotations),
      operation: 'note lost node',
      signal,
      timeoutMs: REQUEST_TIMEOUT_MS,
    });
  }

  async #get(signal: AbortSignal): Promise<JsonObject | undefined> {
    return asObject(await getLive(this.#api, 'get notes about lost nodes', this.#path, signal));
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

/** The last notes, as many as there is room for. */
function textOf(notes: readonly NamedNote[]): string {
  const kept = notes.slice(-MAX_NOTES);
  let text = JSON.stringify(kept);
  while (kept.length > 1 && Buffer.byteLength(text) > MAX_BYTES) {
    kept.shift();
    text = JSON.stringify(kept);
  }
  return text;
}

/** Whatever is no note of ours is left out. */
function notesIn(lease: JsonObject | undefined): readonly NamedNote[] {
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

function isNote(value: unknown): value is NamedNote {
  const note = asObject(value);
  return (
    note !== undefined &&
    typeof note['node'] === 'string' &&
    isTexts(note['addresses']) &&
    isTexts(note['attachmentUids'])
  );
}

function isTexts(value: unknown): value is readonly string[] {
  return Array.isArray(value) && value.every((each) => typeof each === 'string');
}
