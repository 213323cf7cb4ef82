/** A command as it was received. */
export interface LoggedCommand {
  /** Counts from 1 and is never reused. */
  readonly seq: number;
  readonly atMs: number;
  readonly user: string;
  /** Counts connections from 1. */
  readonly connection: number;
  readonly text: string;
}

/** Everything received, oldest first, bounded: the oldest are dropped. */
export class CommandLog {
  readonly #limit: number;
  readonly #entries: LoggedCommand[] = [];
  readonly #waiting = new Set<{
    matches: (command: LoggedCommand) => boolean;
    resolve: (command: LoggedCommand) => void;
  }>();
  #seq = 0;

  constructor(limit: number) {
    this.#limit = limit;
  }

  get entries(): readonly LoggedCommand[] {
    return this.#entries;
  }

  /** Commands received since the start, those dropped included. */
  get total(): number {
    return this.#seq;
  }

  add(command: Omit<LoggedCommand, 'seq'>): LoggedCommand {
    this.#seq += 1;
    const entry = { seq: this.#seq, ...command };
    this.#entries.push(entry);
    if (this.#entries.length > this.#limit) this.#entries.shift();
    for (const waiter of this.#waiting) {
      if (!waiter.matches(entry)) continue;
      this.#waiting.delete(waiter);
      waiter.resolve(entry);
    }
    return entry;
  }

  /** The next command received whose text fits. */
  async next(pattern: RegExp | string = ''): Promise<LoggedCommand> {
    const { promise, resolve } = Promise.withResolvers<LoggedCommand>();
    this.#waiting.add({ matches: ({ text }) => textMatches(pattern, text), resolve });
    return await promise;
  }
}

/** A string has to be contained. */
export function textMatches(pattern: RegExp | string, text: string): boolean {
  return typeof pattern === 'string' ? text.includes(pattern) : text.search(pattern) !== -1;
}
