import type { Logger } from '@reattach/core';
import type { AuditRecord } from '@reattach/status-page';

/** Records that wait while they cannot be written; the oldest are dropped first. */
export const MAX_RECORDS = 1_000;

/** Where records are kept beyond the process. */
export interface AuditPlace {
  /** For logs: a path, or the name of an object. */
  readonly name: string;
  /** Records at a time. */
  readonly batch: number;
  /** @throws when they were not written. */
  append(records: readonly AuditRecord[]): Promise<void>;
}

/** Records on their way to one place. Nothing waits for a write; what could not be written is tried again with the next records. */
export class AuditOutbox implements AsyncDisposable {
  readonly #place: AuditPlace;
  readonly #logger: Logger;
  #unwritten: readonly AuditRecord[] = [];
  #writing: Promise<void> | undefined;
  #isFailing = false;

  constructor(place: AuditPlace, logger: Logger) {
    this.#place = place;
    this.#logger = logger;
  }

  /** Records that are not written yet, oldest first. */
  get unwritten(): readonly AuditRecord[] {
    return this.#unwritten;
  }

  /** Adds records and starts a write; without records, tries again what is left. */
  add(records: readonly AuditRecord[]): void {
    this.#unwritten = [...this.#unwritten, ...records].slice(-MAX_RECORDS);
    if (this.#unwritten.length > 0) this.#writing ??= this.#write();
  }

  /** Waits for the write in progress. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#writing;
  }

  async #write(): Promise<void> {
    const place = this.#place.name;
    try {
      while (this.#unwritten.length > 0) {
        const batch = this.#unwritten.slice(0, this.#place.batch);
        await this.#place.append(batch);
        const written = new Set(batch);
        this.#unwritten = this.#unwritten.filter((record) => !written.has(record));
      }
      if (this.#isFailing) this.#logger.info('Wrote audit records again', { place });
      this.#isFailing = false;
    } catch (err) {
      if (!this.#isFailing) this.#logger.warn('Could not write audit records', { place, err });
      this.#isFailing = true;
    } finally {
      this.#writing = undefined;
    }
  }
}
