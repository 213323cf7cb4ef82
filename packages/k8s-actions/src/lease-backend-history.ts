import { type BackendHistory, MAX_HISTORY_BYTES } from '@reattach/core';
import { AnnotatedLease, type LeaseRecordOptions } from './annotated-lease.ts';
import { K8sActionsError } from './k8s-actions-error.ts';

/**
 * What one storage backend has learned about its hosts, in the annotation `reattach.srvlab.io/backend-history` of a Lease: a
 * successor of this process would otherwise not know which hosts were ever seen live, and at which cadence they speak.
 */
export class LeaseBackendHistory implements BackendHistory {
  readonly #lease: AnnotatedLease;
  readonly #name: string;

  constructor(options: LeaseRecordOptions) {
    this.#lease = new AnnotatedLease(options, 'reattach.srvlab.io/backend-history');
    this.#name = options.name;
  }

  /** The text written last; `undefined` when there is none. @throws as `AnnotatedLease.read` does */
  read(signal: AbortSignal): Promise<string | undefined> {
    return this.#lease.read(signal);
  }

  /**
   * Replaces the text. Does nothing in a replica that does not lead.
   * @throws as `AnnotatedLease.update` does; `RECORDS_FULL` for more than 64 KiB
   */
  async write(text: string, signal: AbortSignal): Promise<void> {
    const bytes = Buffer.byteLength(text);
    if (bytes > MAX_HISTORY_BYTES) {
      const message = `the history in Lease ${this.#name} would have ${bytes} bytes, more than ${MAX_HISTORY_BYTES}`;
      throw new K8sActionsError('RECORDS_FULL', 'not-applied', message);
    }
    try {
      await this.#lease.update(() => text, signal);
    } catch (err) {
      if (!(err instanceof K8sActionsError) || err.code !== 'NOT_LEADER') throw err;
    }
  }
}
