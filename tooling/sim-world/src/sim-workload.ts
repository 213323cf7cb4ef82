import type { Clock } from '@reattach/core';
import type { SimHost } from '@reattach/rds-sim';

export interface SimWorkloadOptions {
  readonly clock: Clock;
  /** Time between two writes to a volume, ms. */
  readonly writeIntervalMs: number;
  /** The machine's address from which it reaches a volume; default: its first. */
  readonly pathOf?: (slot: string) => string | undefined;
}

/** `standby`: the disk of a virtual machine that migrates to this node is connected, and runs elsewhere until `activate()`. */
type Use = 'mounting' | 'mounted' | 'standby';

/**
 * What runs on a node: writes to every volume that is mounted there, as long as the machine has power, whatever the kubelet
 * or the network do. Writes the backend does not take are dirty pages, replayed when it is reached again.
 */
export class SimWorkload implements Disposable {
  /** Idle: nothing is written, and the host sends keep-alives alone. */
  isIdle = false;
  readonly #host: SimHost;
  readonly #options: SimWorkloadOptions;
  readonly #slots = new Map<string, Use>();
  readonly #standby = new Set<string>();
  #timer: Disposable | undefined;

  constructor(host: SimHost, options: SimWorkloadOptions) {
    this.#host = host;
    this.#options = options;
  }

  /** Mounts the volume and writes to it. A mount is tried until the backend answers. */
  mount(slot: string): void {
    const address = this.#options.pathOf?.(slot);
    this.#host.connect(slot, address === undefined ? {} : { address });
    const isStandby = this.#standby.has(slot);
    if (isStandby) this.#slots.set(slot, 'standby');
    else this.#slots.set(slot, this.#host.mount(slot) ? 'mounted' : 'mounting');
    this.#schedule();
  }

  /** The next mount of the volume only connects to it: a virtual machine is about to migrate to this node. */
  standBy(slot: string): void {
    this.#standby.add(slot);
  }

  /** The virtual machine runs here from now on. */
  activate(slot: string): void {
    this.#standby.delete(slot);
    if (this.#slots.get(slot) === 'standby') this.#slots.set(slot, 'mounting');
  }

  /** Stops writing. Whether the volume is unmounted: pending writes are written first. */
  unmount(slot: string): boolean {
    this.#slots.delete(slot);
    if (this.#host.powered && this.#host.dirtyWrites(slot) > 0) return false;
    this.#host.disconnect(slot);
    return true;
  }

  /** The machine lost its memory: nothing is mounted any more. */
  forget(): void {
    this.#slots.clear();
  }

  [Symbol.dispose](): void {
    this.#timer?.[Symbol.dispose]();
    this.#timer = undefined;
  }

  #schedule(): void {
    const { clock, writeIntervalMs } = this.#options;
    this.#timer ??= clock.after(writeIntervalMs, () => {
      this.#timer = undefined;
      this.#tick();
      this.#schedule();
    });
  }

  #tick(): void {
    for (const [slot, use] of this.#slots) {
      if (use === 'mounted' && !this.isIdle) this.#host.write(slot);
      if (use === 'mounting' && this.#host.mount(slot)) this.#slots.set(slot, 'mounted');
    }
  }
}
