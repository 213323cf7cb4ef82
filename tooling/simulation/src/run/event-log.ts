import type { LogFields, Logger } from '@reattach/core';
import type { SimulationClock } from '../time/simulation-clock.ts';

/** A line a controller logged. */
export interface LogEntry {
  readonly atMs: number;
  readonly source: string;
  readonly level: keyof Logger;
  readonly message: string;
  readonly fields: LogFields;
}

/** Collects what controllers log. Debug lines are dropped unless a timeline is wanted: most lines are of that level. */
export class EventLog {
  keepsDebug = false;
  readonly entries: LogEntry[] = [];
  readonly #clock: SimulationClock;
  readonly #listeners = new Set<(entry: LogEntry) => void>();

  constructor(clock: SimulationClock) {
    this.#clock = clock;
  }

  onEntry(listener: (entry: LogEntry) => void): void {
    this.#listeners.add(listener);
  }

  logger(source: string): Logger {
    const add =
      (level: keyof Logger) =>
      (message: string, fields: LogFields = {}) => {
        const entry: LogEntry = { atMs: this.#clock.now(), source, level, message, fields };
        this.entries.push(entry);
        for (const listener of this.#listeners) listener(entry);
      };
    const debug = add('debug');
    return {
      debug: (message, fields) => {
        if (this.keepsDebug) debug(message, fields);
      },
      info: add('info'),
      warn: add('warn'),
      error: add('error'),
    };
  }
}
