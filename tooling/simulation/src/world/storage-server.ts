import { type Device, InProcessRds } from '@reattach/rds-sim';
import type { SimulationClock } from '../time/simulation-clock.ts';

/** A command that was carried out, for oracles and the timeline. */
export interface CommandEntry {
  readonly atMs: number;
  readonly client: string;
  readonly command: string;
  readonly output: string;
  readonly isEffect: boolean;
}

/** A write that the disk carried out. */
export interface LandedWrite {
  readonly slot: string;
  /** The host's name at the backend. */
  readonly host: string;
  /** Which mount of the volume it belongs to; later mounts have larger numbers. */
  readonly generation: number;
}

/** Commands that change the fence list; everything else only reads. */
const EFFECT = /address-list\/?\s*(add|remove|set|enable|disable)|\/(add|remove|set|enable|disable)\b/;

export interface StorageServerOptions {
  readonly clock: SimulationClock;
  readonly address: string;
}

/** One storage backend: what runs on it, and whether it can be reached. */
export class StorageServer implements Disposable {
  readonly rds: InProcessRds;
  readonly address: string;
  /** SSH connections are accepted, and nothing is ever said. */
  isSilent = false;
  readonly #clock: SimulationClock;
  readonly #stopListeners = new Set<() => void>();
  readonly #writeListeners = new Set<(write: LandedWrite) => void>();
  readonly #listeners = new Set<(entry: CommandEntry) => void>();

  constructor({ clock, address }: StorageServerOptions) {
    this.#clock = clock;
    this.address = address;
    this.rds = new InProcessRds({ clock, address, tracking: { enabled: 'yes' } });
    this.device.addDropRule();
    const { oracle } = this.device;
    const landed = oracle.landed.bind(oracle);
    oracle.landed = (write) => {
      landed(write);
      for (const listener of this.#writeListeners) listener(write);
    };
  }

  get device(): Device {
    return this.rds.device;
  }

  get up(): boolean {
    return this.device.up;
  }

  isEffect(command: string): boolean {
    return EFFECT.test(command);
  }

  /** What the command prints; `undefined`: no answer. */
  run(command: string, client: string): Uint8Array | undefined {
    if (!this.device.up) return undefined;
    const { output } = this.rds.run(command);
    const entry = { atMs: this.#clock.now(), client, command, output, isEffect: this.isEffect(command) };
    for (const listener of this.#listeners) listener(entry);
    return this.isSilent ? undefined : Buffer.from(output);
  }

  onCommand(listener: (entry: CommandEntry) => void): void {
    this.#listeners.add(listener);
  }

  /** Calls `listener` for every write that a disk carried out. */
  onWrite(listener: (write: LandedWrite) => void): void {
    this.#writeListeners.add(listener);
  }

  /** A rule that drops what comes from fenced addresses is in force. */
  get hasDropRule(): boolean {
    const [first] = this.device.raw.rules.filter(({ disabled, invalid }) => !disabled && !invalid);
    return first?.properties.get('action') === 'drop' && !first.properties.has('time');
  }

  /** Addresses whose packets to the target are dropped now. */
  isBlocked(address: string): boolean {
    return this.device.blocks(address);
  }

  /** Calls `listener` when its connections are reset. */
  onStop(listener: () => void): Disposable {
    this.#stopListeners.add(listener);
    return { [Symbol.dispose]: () => void this.#stopListeners.delete(listener) };
  }

  /** The power goes. */
  stop(): void {
    if (!this.device.up) return;
    this.device.stop();
    for (const listener of this.#stopListeners) listener();
  }

  boot(): void {
    if (!this.device.up) this.device.boot();
  }

  [Symbol.dispose](): void {
    this.rds[Symbol.dispose]();
  }
}
