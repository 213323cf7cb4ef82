import {
  apiPaths,
  asObject,
  type JsonObject,
  type KubeApi,
  KubeApiError,
  objectAt,
  textAt,
} from '@reattach/k8s-api';
import { K8sActionsError } from './k8s-actions-error.ts';
import { requireOwner, withOwner } from './lease-owner.ts';
import { getLive, REQUEST_TIMEOUT_MS } from './live-object.ts';

/** Longest text, bytes: an object's annotations may have 256 KiB in all. @see kube-apiserver, TotalAnnotationSizeLimitB */
export const MAX_TEXT_BYTES = 200_000;

/** A conflict means that the next leader has taken over, or that the last one is just stopping. */
const MAX_ATTEMPTS = 3;

/** Where a Lease keeps what a successor of this process must know. */
export interface LeaseRecordOptions {
  /** Writes must be guarded by leadership. @see guardWrites */
  readonly api: KubeApi;
  /** Namespace of the Lease: the replica's own. */
  readonly namespace: string;
  /** Name of a Lease that has no holder. */
  readonly name: string;
  /** Attacher and cluster id, joined: a Lease of another owner is neither read nor written. */
  readonly owner: string;
}

/**
 * A text in an annotation of a Lease. A Lease, because a leader may write those anyway. Updates of one process run one after
 * the other; one that meets another process' write is made again from the read on.
 */
export class AnnotatedLease {
  readonly #options: LeaseRecordOptions;
  readonly #annotation: string;
  #lastUpdate: Promise<unknown> = Promise.resolve();

  constructor(options: LeaseRecordOptions, annotation: string) {
    this.#options = options;
    this.#annotation = annotation;
  }

  /**
   * Reads past every cache. @returns `undefined` when nothing was written yet.
   * @throws {KubeApiError} when it could not be read. @throws {K8sActionsError} `FOREIGN_OWNER`
   */
  async read(signal: AbortSignal): Promise<string | undefined> {
    return this.#textOf(await this.#get(signal));
  }

  /**
   * Replaces the text by what `change` makes of it; nothing is written when it stays the same.
   * @throws {KubeApiError} `CONFLICT` when other processes kept writing; others when it was not, or perhaps not, written.
   * @throws {K8sActionsError} `FOREIGN_OWNER`; `RECORDS_FULL` for a text longer than 200 kB; `NOT_LEADER`. Outcome `not-applied`.
   */
  update(change: (text: string | undefined) => string, signal: AbortSignal): Promise<void> {
    const update = this.#lastUpdate.then(() => this.#updateUntilApplied(change, signal));
    this.#lastUpdate = update.catch(() => undefined);
    return update;
  }

  async #updateUntilApplied(
    change: (text: string | undefined) => string,
    signal: AbortSignal,
  ): Promise<void> {
    for (let attempt = 1; ; attempt++) {
      try {
        return await this.#update(change, signal);
      } catch (err) {
        const isConflict = err instanceof KubeApiError && err.code === 'CONFLICT';
        if (!isConflict || attempt === MAX_ATTEMPTS) throw err;
      }
    }
  }

  async #update(change: (text: string | undefined) => string, signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    const { api, namespace, name } = this.#options;
    const lease = await this.#get(signal);
    const before = this.#textOf(lease);
    const text = change(before);
    if (text === before) return;
    const bytes = Buffer.byteLength(text);
    if (bytes > MAX_TEXT_BYTES) {
      throw new K8sActionsError(
        'RECORDS_FULL',
        'not-applied',
        `${this.#annotation} of Lease ${namespace}/${name} would have ${bytes} bytes, more than ${MAX_TEXT_BYTES}`,
      );
    }
    await api.request({
      method: lease ? 'PUT' : 'POST',
      path: lease ? this.#path : apiPaths.leases(namespace),
      body: this.#annotated(lease, text),
      operation: 'update records',
      signal,
      timeoutMs: REQUEST_TIMEOUT_MS,
    });
  }

  async #get(signal: AbortSignal): Promise<JsonObject | undefined> {
    const lease = asObject(await getLive(this.#options.api, 'get records', this.#path, signal));
    if (lease) requireOwner(lease, this.#options.owner);
    return lease;
  }

  #textOf(lease: JsonObject | undefined): string | undefined {
    return lease && textAt(objectAt(objectAt(lease, 'metadata'), 'annotations'), this.#annotation);
  }

  /** Its resourceVersion stays: the update fails when it has changed since it was read. */
  #annotated(lease: JsonObject | undefined, text: string): object {
    const { namespace, name, owner } = this.#options;
    const base = lease ?? {
      apiVersion: 'coordination.k8s.io/v1',
      kind: 'Lease',
      metadata: { namespace, name },
    };
    const metadata = withOwner(objectAt(base, 'metadata'), owner);
    const annotations = { ...objectAt(metadata, 'annotations'), [this.#annotation]: text };
    return { ...base, metadata: { ...metadata, annotations } };
  }

  get #path(): string {
    return apiPaths.lease(this.#options.namespace, this.#options.name);
  }
}
