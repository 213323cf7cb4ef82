import type { Device } from '@reattach/rds-sim';
import type { SimulationClock } from '../time/simulation-clock.ts';
import { LinuxProduct } from './linux-product.ts';
import { RdsProduct } from './rds-product.ts';
import type { BackendKind, StorageProduct } from './storage-product.ts';

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

export interface StorageServerOptions {
  readonly clock: SimulationClock;
  readonly address: string;
  readonly kind: BackendKind;
}

/** One storage backend: what runs on it, and whether it can be reached. */
export class StorageServer implements Disposable {
  readonly product: StorageProduct;
  readonly address: string;
  /** SSH connections are accepted, and nothing is ever said. */
  isSilent = false;
  readonly #clock: SimulationClock;
  readonly #stopListeners = new Set<() => void>();
  readonly #writeListeners = new Set<(write: LandedWrite) => void>();
  readonly #listeners = new Set<(entry: CommandEntry) => void>();

  constructor({ clock, address, kind }: StorageServerOptions) {
    this.#clock = clock;
    this.address = address;
    this.product = kind === 'rds' ? new RdsProduct(clock, address) : new LinuxProduct(clock, address);
    const { oracle } = this.device;
    const landed = oracle.landed.bind(oracle);
    oracle.landed = (write) => {
      landed(write);
      for (const listener of this.#writeListeners) listener(write);
    };
  }

  get device(): Device {
    return this.product.device;
  }

  get up(): boolean {
    return this.device.up;
  }

  /** What the command prints; `undefined`: no answer. */
  run(command: string, client: string): Uint8Array | undefined {
    if (!this.device.up) return undefined;
    const output = this.product.answer(command);
    const entry = {
      atMs: this.#clock.now(),
      client,
      command,
      output,
      isEffect: this.product.isEffect(command),
    };
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

  /** Addresses on record as fenced. */
  get fencedAddresses(): ReadonlySet<string> {
    return new Set(this.product.fences.map(({ address }) => address));
  }

  /** Whether packets of the address to the target are dropped now. */
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
    this.product[Symbol.dispose]();
  }
}
