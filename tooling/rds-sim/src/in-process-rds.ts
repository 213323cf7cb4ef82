import { Device, type DeviceOptions } from './device/device.ts';
import { DEFAULT_DIALECT, type Dialect } from './dialect.ts';
import { MenuTree } from './menu/menu-tree.ts';
import { runScript, type ScriptResult } from './script/interpreter.ts';

/** Text is wrapped for a terminal of this width where there is none. */
const EXEC_COLUMNS = 80;

/** A RouterOS device without SSH: command lines are function calls. */
export class InProcessRds implements Disposable {
  readonly device: Device;
  readonly #dialect: Dialect;
  readonly #tree: MenuTree;

  constructor(options: DeviceOptions & Partial<Dialect>) {
    this.device = new Device(options);
    this.#dialect = { ...DEFAULT_DIALECT, ...options };
    this.#tree = new MenuTree({
      device: this.device,
      clock: options.clock,
      dialect: this.#dialect,
      users: () => [{ name: 'reattach', group: 'full' }],
      ssh: () => ({ port: 22, maxSessions: 20 }),
    });
  }

  /** Carries out a command line of a user who may write. */
  run(text: string): ScriptResult {
    return runScript(text, this.#dialect, {
      tree: this.#tree,
      dialect: this.#dialect,
      mayWrite: true,
      widthColumns: EXEC_COLUMNS,
      log: (topics, message) => this.device.log.add(topics, message),
    });
  }

  [Symbol.dispose](): void {
    this.device[Symbol.dispose]();
  }
}
