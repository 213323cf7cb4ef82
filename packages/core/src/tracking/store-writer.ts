import { CoreError, type Outcome } from '../model/errors.ts';
import type { Logger } from '../ports/logger.ts';
import type { AttachmentStore } from '../ports/ports.ts';

/** Writes attachments to the optional store, which shows them to people. The manager never reads it. */
export class StoreWriter {
  readonly #store: AttachmentStore | undefined;
  readonly #logger: Logger;

  constructor(store: AttachmentStore | undefined, logger: Logger) {
    this.#store = store;
    this.#logger = logger;
  }

  /**
   * Writes an attachment before it is tracked.
   * @throws {CoreError} `STORE_FAILED` with the outcome of the store. @throws `signal.reason` when aborted.
   */
  async writeAttached(
    volumeHandle: string,
    nodeName: string,
    attachedAtMs: number,
    signal: AbortSignal,
  ): Promise<void> {
    try {
      await this.#store?.setAttached(volumeHandle, nodeName, attachedAtMs, signal);
    } catch (cause) {
      signal.throwIfAborted();
      const message = `the attachment of volume ${volumeHandle} to node ${nodeName} could not be stored`;
      throw new CoreError('STORE_FAILED', outcomeOf(cause), message, { cause });
    }
  }

  /** Writes a change that has been made already. A failure is logged, because the change remains. @throws `signal.reason` when aborted */
  async update(
    volumeHandle: string,
    write: (store: AttachmentStore) => Promise<void>,
    signal: AbortSignal,
  ): Promise<void> {
    if (!this.#store) return;
    try {
      await write(this.#store);
    } catch (err) {
      signal.throwIfAborted();
      this.#logger.warn('Could not update stored attachment', { err, volumeHandle });
    }
  }
}

/** Only the adapter knows whether its write was applied. Without its word the outcome is unknown. */
function outcomeOf(err: unknown): Outcome {
  return err instanceof Error && 'outcome' in err && err.outcome === 'not-applied'
    ? 'not-applied'
    : 'unknown';
}
