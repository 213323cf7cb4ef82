import { Device, type DeviceOptions } from './device/device.ts';
import { DEFAULT_DIALECT, type Dialect } from './dialect.ts';
import type { MenuCommandsOptions } from './menu/menu-commands.ts';
import { MenuTree } from './menu/menu-tree.ts';
import type { Script } from './script/ast.ts';
import { runParsed, runScript, type ScriptResult } from './script/interpreter.ts';
import { parseScript } from './script/parser.ts';
import { ScriptError } from './script/script-error.ts';

/** The end marker that clients ask for, alone in the last statement. */
const LAST_STATEMENT = /^(?<head>.*); ?:put "(?<end>[\w-]+)"$/s;

/** Scripts kept parsed. */
const MAX_SCRIPTS = 100;

/** Text is wrapped for a terminal of this width where there is none. */
const EXEC_COLUMNS = 80;

/** A RouterOS device without SSH: command lines are function calls. */
export class InProcessRds implements Disposable {
  readonly device: Device;
  readonly #dialect: Dialect;
  readonly #tree: MenuTree;
  readonly #scripts = new Map<string, Script>();

  constructor(options: DeviceOptions & Partial<Dialect>) {
    this.device = new Device(options);
    this.#dialect = { ...DEFAULT_DIALECT, ...options };
    this.#tree = new MenuTree({
      device: this.device,
      clock: options.clock,
      dialect: this.#dialect,
      users: () => [{ name: 'reattach', group: 'full' }],
      ssh: () => ({ port: 22, maxSessions: 20, remotes: [] }),
    });
  }

  /** Carries out a command line of a user who may write. */
  run(text: string): ScriptResult {
    const { head, end } = LAST_STATEMENT.exec(text)?.groups ?? {};
    const script = head === undefined ? undefined : this.#parsed(head);
    if (!script || end === undefined) return runScript(text, this.#dialect, this.#options);
    const { outcome, output } = runParsed(script, this.#dialect, this.#options);
    return { outcome, output: outcome === 'done' ? `${output}${end}\r\n` : output };
  }

  /** Clients repeat few commands, each with another end marker; `undefined` for what cannot be parsed. */
  #parsed(text: string): Script | undefined {
    const known = this.#scripts.get(text);
    if (known) return known;
    try {
      const script = parseScript(text, this.#tree);
      if (this.#scripts.size < MAX_SCRIPTS) this.#scripts.set(text, script);
      return script;
    } catch (err) {
      if (err instanceof ScriptError) return undefined;
      throw err;
    }
  }

  get #options(): MenuCommandsOptions {
    return {
      tree: this.#tree,
      dialect: this.#dialect,
      mayWrite: true,
      widthColumns: EXEC_COLUMNS,
      log: (topics, message) => this.device.log.add(topics, message),
    };
  }

  [Symbol.dispose](): void {
    this.device[Symbol.dispose]();
  }
}
