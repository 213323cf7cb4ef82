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
  readonly #listeners = new Set<(command: LoggedCommand) => void>();
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
    for (const listener of this.#listeners) listener(entry);
    return entry;
  }

  /** Calls `listener` with every command as it is received, before it is answered. */
  subscribe(listener: (command: LoggedCommand) => void): Disposable {
    this.#listeners.add(listener);
    return { [Symbol.dispose]: () => this.#listeners.delete(listener) };
  }

  /** The next command received whose text fits. */
  async next(pattern: RegExp | string = ''): Promise<LoggedCommand> {
    const { promise, resolve } = Promise.withResolvers<LoggedCommand>();
    using _subscription = this.subscribe((command) => {
      if (textMatches(pattern, command.text)) resolve(command);
    });
    return await promise;
  }
}

/** A string has to be contained. */
export function textMatches(pattern: RegExp | string, text: string): boolean {
  return typeof pattern === 'string' ? text.includes(pattern) : text.search(pattern) !== -1;
}
