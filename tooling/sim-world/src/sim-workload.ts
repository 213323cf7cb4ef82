import type { Clock } from '@reattach/core';
import type { SimHost } from '@reattach/rds-sim';

/**
 * What runs on a node: writes to every volume that is mounted there, as long as the machine has power, whatever the kubelet
 * or the network do. Writes the backend does not take are dirty pages, replayed when it is reached again.
 */
export class SimWorkload implements Disposable {
  readonly #host: SimHost;
  readonly #clock: Clock;
  readonly #intervalMs: number;
  /** Slots, and whether the file system is mounted: a mount is tried until the backend answers. */
  readonly #slots = new Map<string, boolean>();
  #timer: Disposable | undefined;

  constructor(host: SimHost, clock: Clock, intervalMs: number) {
    this.#host = host;
    this.#clock = clock;
    this.#intervalMs = intervalMs;
  }

  mount(slot: string): void {
    this.#host.connect(slot);
    this.#slots.set(slot, this.#host.mount(slot));
    this.#timer ??= this.#clock.after(this.#intervalMs, () => this.#tick());
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

  #tick(): void {
    for (const [slot, isMounted] of this.#slots) {
      if (isMounted) this.#host.write(slot);
      else this.#slots.set(slot, this.#host.mount(slot));
    }
    this.#timer = this.#clock.after(this.#intervalMs, () => this.#tick());
  }
}
