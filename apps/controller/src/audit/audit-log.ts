import type { Clock, Logger, PassObserver, PassReport } from '@reattach/core';
import type { AuditRecord } from '@reattach/status-page';
import type { AuditFile } from './audit-file.ts';
import { auditRecordsOf } from './audit-records-of.ts';

export interface AuditLogOptions {
  readonly clock: Clock;
  readonly logger: Logger;
  /** Absent: records live as long as the process. */
  readonly file?: AuditFile;
}

/** Records kept in memory, and tried again while the file cannot be written. */
export const MAX_RECORDS = 1_000;

/**
 * Remembers what passes did, and writes it down where there is a file. Passes never wait for it and never fail by it: what
 * could not be written is written after the next pass.
 */
export class AuditLog implements PassObserver, AsyncDisposable {
  readonly #clock: Clock;
  readonly #logger: Logger;
  readonly #file: AuditFile | undefined;
  #records: readonly AuditRecord[] = [];
  #unwritten: readonly AuditRecord[] = [];
  #writing: Promise<void> | undefined;
  #isFailing = false;

  constructor({ clock, logger, file }: AuditLogOptions) {
    this.#clock = clock;
    this.#logger = logger;
    this.#file = file;
  }

  /** Takes up what an earlier process wrote. A file that cannot be read is logged. */
  async load(): Promise<void> {
    try {
      const earlier = (await this.#file?.last(MAX_RECORDS)) ?? [];
      this.#records = [...earlier, ...this.#records].slice(-MAX_RECORDS);
    } catch (err) {
      this.#failed('Could not read audit file', err);
    }
  }

  /** The last `limit` records, oldest first. */
  history(limit: number): readonly AuditRecord[] {
    return this.#records.slice(-limit);
  }

  passed(report: PassReport): void {
    const records = auditRecordsOf(report, this.#clock.now());
    if (records.length > 0) this.#records = [...this.#records, ...records].slice(-MAX_RECORDS);
    if (!this.#file) return;
    this.#unwritten = [...this.#unwritten, ...records].slice(-MAX_RECORDS);
    if (this.#unwritten.length > 0) this.#writing ??= this.#write(this.#file);
  }

  /** Waits until what can be written is. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#writing;
  }

  async #write(file: AuditFile): Promise<void> {
    try {
      for (let [record] = this.#unwritten; record; [record] = this.#unwritten) {
        await file.append(record);
        const written = record;
        this.#unwritten = this.#unwritten.filter((each) => each !== written);
      }
      if (this.#isFailing) this.#logger.info('Wrote audit file again', { path: file.path });
      this.#isFailing = false;
    } catch (err) {
      this.#failed('Could not write audit file', err);
    } finally {
      this.#writing = undefined;
    }
  }

  /** Once, until it works again. */
  #failed(message: string, err: unknown): void {
    if (!this.#isFailing) this.#logger.warn(message, { path: this.#file?.path, err });
    this.#isFailing = true;
  }
}
