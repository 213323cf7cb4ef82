import { textMatches } from './command-log.ts';

/**
 * What goes wrong with a command.
 * - `hang`: no answer at all, the channel stays open. `applied`: the command is carried out first.
 * - `slow`: the answer comes `delayMs` later, by the simulator's clock or (`real`) the machine's.
 * - `cut`: the TCP connection is reset after `afterBytes` of the answer. `close-channel`: only the channel ends, without a status.
 * - `truncate`: each JSON value of the answer loses its second half; the rest of the answer is whole.
 * - `log-line`: a line of the device's log appears after the first `afterLines` lines (default 1).
 * - `garbage`: bytes that are not text come first.
 * - `exit-status`: another status than the command's, or none.
 * - `replace`: another answer altogether. `applied`: the command is carried out first.
 */
export type CommandFault =
  | { readonly kind: 'hang'; readonly applied?: boolean }
  | { readonly kind: 'slow'; readonly delayMs: number; readonly by?: 'clock' | 'real' }
  | { readonly kind: 'cut'; readonly afterBytes: number }
  | { readonly kind: 'close-channel'; readonly afterBytes: number }
  | { readonly kind: 'truncate' }
  | { readonly kind: 'log-line'; readonly text?: string; readonly afterLines?: number }
  | { readonly kind: 'garbage' }
  | { readonly kind: 'exit-status'; readonly status: number | 'none' }
  | { readonly kind: 'replace'; readonly output: string; readonly applied?: boolean };

/**
 * What goes wrong with a connection.
 * - `reset`: the socket is reset at once. `silent`: it is accepted, and nothing is ever said.
 * - `auth`: every log-in is refused. `session-limit`: the connection is closed after the log-in, as when too many are open.
 * - `channel`: no channel can be opened.
 */
export type ConnectionFault = { readonly kind: 'reset' | 'silent' | 'auth' | 'session-limit' | 'channel' };

/** A fault that waits for its turn. Disposing removes it. */
export interface FaultRule extends Disposable {
  /** How often it has struck. */
  readonly hits: number;
}

/** What the immediate faults act on. */
export interface FaultTarget {
  /** Resets all connections and stops listening. */
  refuseConnections(): Promise<void>;
  /** Listens on the same port again. */
  acceptConnections(): Promise<void>;
  /** Resets all connections, goes on listening. */
  dropConnections(): void;
  /** Nothing is read or answered any more, no connection ends, until disposal. */
  freezeConnections(): Disposable;
  /** The device stops and starts. */
  reboot(downMs: number): Promise<void>;
  /** Moves the device's own clock. */
  jumpClock(deltaMs: number): void;
  /** Calls `fn` after `delayMs` of clock time; disposal, also that of the simulator, cancels it. */
  after(delayMs: number, fn: () => void): Disposable;
}

/** A fault that strikes by the clock. */
export interface ScheduledFault {
  /** For people. */
  readonly name?: string;
  /** From the start of the schedule, ms. */
  readonly afterMs: number;
  /** Strikes again each time so much has passed, ms; default: once. */
  readonly everyMs?: number;
  readonly strike: (faults: Faults) => unknown;
}

interface Rule<T> {
  readonly fault: T;
  readonly match: RegExp | string;
  left: number;
  hits: number;
}

/** Scripted faults: of the rules that fit the oldest strikes, and a rule that has applied as often as asked is removed. */
export class Faults {
  readonly #target: FaultTarget;
  readonly #commandRules = new Set<Rule<CommandFault>>();
  readonly #connectionRules = new Set<Rule<ConnectionFault>>();

  constructor(target: FaultTarget) {
    this.#target = target;
  }

  /**
   * @param match what the command's text contains or fits.
   * @param times commands it strikes, default 1; `Infinity` until disposed.
   */
  onCommand(match: RegExp | string, fault: CommandFault, times = 1): FaultRule {
    return addRule(this.#commandRules, { fault, match, left: times, hits: 0 });
  }

  /** @param times connections (log-ins for `auth`, channels for `channel`) it strikes, default 1; `Infinity` until disposed. */
  onConnection(fault: ConnectionFault, times = 1): FaultRule {
    return addRule(this.#connectionRules, { fault, match: '', left: times, hits: 0 });
  }

  /** The device cannot be reached: connections are reset, new ones refused, until `up()`. */
  async down(): Promise<void> {
    await this.#target.refuseConnections();
  }

  async up(): Promise<void> {
    await this.#target.acceptConnections();
  }

  /** Resets the connections there are. */
  dropConnections(): void {
    this.#target.dropConnections();
  }

  /**
   * The device restarts: SSH is reset, dynamic entries, tracking, controllers and counters are gone. It answers again, to SSH and hosts,
   * `downMs` of clock time later; 0 (default): at once. Settles when it is down.
   */
  async reboot(downMs = 0): Promise<void> {
    await this.#target.reboot(downMs);
  }

  /** All connections, new ones too, go dead without being closed, until disposal: what a silently lost path looks like. */
  freeze(): Disposable {
    return this.#target.freezeConnections();
  }

  /** The device's own clock jumps: timestamps move, uptime and timeouts do not. */
  jumpClock(deltaMs: number): void {
    this.#target.jumpClock(deltaMs);
  }

  /** Lets faults strike by the clock until disposed. */
  schedule(steps: readonly ScheduledFault[]): Disposable {
    const timers = new Map<ScheduledFault, Disposable>();
    const arm = (step: ScheduledFault, delayMs: number): void => {
      const strike = (): void => {
        timers.delete(step);
        if (step.everyMs !== undefined) arm(step, step.everyMs);
        step.strike(this);
      };
      timers.set(step, this.#target.after(delayMs, strike));
    };
    for (const step of steps) arm(step, step.afterMs);
    return {
      [Symbol.dispose]: () => {
        for (const timer of timers.values()) timer[Symbol.dispose]();
        timers.clear();
      },
    };
  }

  /** Forgets the scripted faults that have not struck. */
  clear(): void {
    this.#commandRules.clear();
    this.#connectionRules.clear();
  }

  /** For the server: the fault that strikes this command. */
  takeCommandFault(text: string): CommandFault | undefined {
    return take(this.#commandRules, (rule) => textMatches(rule.match, text));
  }

  /** For the server: whether such a fault strikes now. */
  takeConnectionFault(...kinds: readonly ConnectionFault['kind'][]): ConnectionFault['kind'] | undefined {
    return take(this.#connectionRules, ({ fault }) => kinds.includes(fault.kind))?.kind;
  }
}

function addRule<T>(rules: Set<Rule<T>>, rule: Rule<T>): FaultRule {
  rules.add(rule);
  return {
    get hits() {
      return rule.hits;
    },
    [Symbol.dispose]: () => void rules.delete(rule),
  };
}

function take<T>(rules: Set<Rule<T>>, fits: (rule: Rule<T>) => boolean): T | undefined {
  for (const rule of rules) {
    if (!fits(rule)) continue;
    rule.hits += 1;
    rule.left -= 1;
    if (rule.left <= 0) rules.delete(rule);
    return rule.fault;
  }
  return undefined;
}
