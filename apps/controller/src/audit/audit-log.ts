import type { Clock, Logger, PassObserver, PassReport } from '@reattach/core';
import type { AuditRecord } from '@reattach/status-page';
import type { AuditFile } from './audit-file.ts';
import { AuditOutbox, MAX_RECORDS } from './audit-outbox.ts';
import { auditRecordsOf } from './audit-records-of.ts';
import type { SharedHistory } from './shared-history.ts';

export interface AuditLogOptions {
  readonly clock: Clock;
  readonly logger: Logger;
  /** Absent: no file. */
  readonly file?: AuditFile;
  /** Absent: this process is the only one, so its own memory is the history. */
  readonly shared?: SharedHistory;
}

/** What passes did, remembered and written to where it outlives the process. Passes never wait for a write and never fail by one. */
export class AuditLog implements PassObserver, AsyncDisposable {
  readonly #options: AuditLogOptions;
  readonly #outboxes: readonly AuditOutbox[];
  readonly #sharedOutbox: AuditOutbox | undefined;
  #records: readonly AuditRecord[] = [];

  constructor(options: AuditLogOptions) {
    const { file, shared, logger } = options;
    this.#options = options;
    this.#sharedOutbox = shared && new AuditOutbox(shared, logger);
    this.#outboxes = [file && new AuditOutbox(file, logger), this.#sharedOutbox].filter(
      (outbox) => outbox !== undefined,
    );
  }

  /** Takes up what an earlier process wrote to the file. A file that cannot be read is logged. */
  async load(): Promise<void> {
    const { file, logger } = this.#options;
    try {
      const earlier = (await file?.last(MAX_RECORDS)) ?? [];
      this.#records = [...earlier, ...this.#records].slice(-MAX_RECORDS);
    } catch (err) {
      logger.warn('Could not read audit file', { path: file?.name, err });
    }
  }

  /**
   * The last `limit` records of all replicas, oldest first; of this process alone where there is no shared history.
   * @throws when the shared history could not be read
   */
  async history(limit: number, signal: AbortSignal): Promise<readonly AuditRecord[]> {
    const { shared } = this.#options;
    if (!shared) return this.#records.slice(-limit);
    const written = await shared.read(signal);
    return [...written, ...(this.#sharedOutbox?.unwritten ?? [])].slice(-limit);
  }

  passed(report: PassReport): void {
    const records = auditRecordsOf(report, this.#options.clock.now());
    if (records.length > 0) this.#records = [...this.#records, ...records].slice(-MAX_RECORDS);
    for (const outbox of this.#outboxes) outbox.add(records);
  }

  /** Waits for the writes in progress. */
  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#outboxes.map((outbox) => outbox[Symbol.asyncDispose]()));
  }
}
