import type { LostNodeRecord, LostNodeRecords } from '../ports/ports.ts';

/** Notes in memory, which outlives the processes of a test. */
export class FakeLostNodeRecords implements LostNodeRecords {
  readonly records: Map<string, LostNodeRecord> = new Map();
  /** How often they were read. */
  reads = 0;
  /** Runs before each write: throw to make it fail. */
  before: () => void | Promise<void> = () => undefined;

  async write(nodeName: string, record: LostNodeRecord, signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    await this.before();
    this.records.set(nodeName, record);
  }

  async read(signal: AbortSignal): Promise<ReadonlyMap<string, LostNodeRecord>> {
    signal.throwIfAborted();
    this.reads += 1;
    return this.records;
  }
}
