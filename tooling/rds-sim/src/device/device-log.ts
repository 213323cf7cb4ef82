import { ItemId } from '../script/value.ts';

export interface LogEntry {
  readonly id: ItemId;
  readonly atMs: number;
  /** `system,info`. */
  readonly topics: string;
  readonly message: string;
}

/** RouterOS keeps this many lines in memory. */
const LOG_LINES = 1000;

/** `/log`. */
export class DeviceLog {
  readonly #wallClockMs: () => number;
  readonly #entries: LogEntry[] = [];
  #last = 0;

  constructor(wallClockMs: () => number) {
    this.#wallClockMs = wallClockMs;
  }

  get entries(): readonly LogEntry[] {
    return this.#entries;
  }

  add(topics: string, message: string): void {
    this.#last += 1;
    this.#entries.push({ id: new ItemId(this.#last), atMs: this.#wallClockMs(), topics, message });
    if (this.#entries.length > LOG_LINES) this.#entries.shift();
  }
}
