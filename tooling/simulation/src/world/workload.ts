import type { Clock } from '@reattach/core';
import type { SimHost } from '@reattach/rds-sim';

/** State of a volume on the machine. */
type Mount = 'connected' | 'mounting' | 'mounted';

export interface WorkloadOptions {
  readonly clock: Clock;
  readonly writeIntervalMs: number;
  /** Over which of its addresses the machine reaches a volume. */
  readonly pathOf: (slot: string) => string;
  /** A file system was mounted: from now on the machine is the volume's writer. */
  readonly onMounted: (slot: string) => void;
}

/**
 * What runs on a machine: applications that write to every mounted volume as long as the kernel runs, whatever the kubelet
 * and the network do. Writes that the backend does not take are dirty pages. An umount flushes first: while there are dirty
 * pages it hangs, and they are replayed whenever the backend is reached again. Only a reboot forgets them.
 */
export class Workload implements Disposable {
  readonly #clock: Clock;
  readonly #options: WorkloadOptions;
  #host: SimHost;
  readonly #mounts = new Map<string, Mount>();
  #timer: Disposable | undefined;

  constructor(host: SimHost, options: WorkloadOptions) {
    this.#host = host;
    this.#clock = options.clock;
    this.#options = options;
  }

  /** Volumes that the machine has connected and may write to, now or when the backend is reached again. */
  get slots(): readonly string[] {
    return [...this.#mounts.keys()];
  }

  /** The volume is mounted and can be written to, as far as the machine knows. */
  isMounted(slot: string): boolean {
    return this.#mounts.get(slot) === 'mounted';
  }

  dirtyWrites(slot: string): number {
    return this.#host.dirtyWrites(slot);
  }

  mount(slot: string): void {
    if (!this.#host.powered || this.#mounts.get(slot) === 'mounted') return;
    this.#host.connect(slot, { address: this.#options.pathOf(slot) });
    this.#mounts.set(slot, 'mounting');
    this.#tryMount(slot);
    this.#schedule();
  }

  /** Connects the disk of a virtual machine, which `start` begins to use. */
  connect(slot: string): void {
    if (!this.#host.powered || this.#mounts.has(slot)) return;
    this.#host.connect(slot, { address: this.#options.pathOf(slot) });
    this.#mounts.set(slot, 'connected');
  }

  /** The virtual machine on this machine uses its disk from now on. */
  start(slot: string): void {
    if (this.#mounts.get(slot) !== 'connected') return;
    this.#mounts.set(slot, 'mounting');
    this.#tryMount(slot);
    this.#schedule();
  }

  /** It stops to use the disk, as at the end of a migration; false while writes are on their way. */
  release(slot: string): boolean {
    if (this.#mounts.get(slot) !== 'mounted' || this.#host.dirtyWrites(slot) > 0) return false;
    this.#mounts.set(slot, 'connected');
    return true;
  }

  /** Whether it was unmounted: not while there are dirty pages, which the machine goes on to try to write. */
  unmount(slot: string): boolean {
    if (!this.#mounts.has(slot)) return true;
    if (this.#host.dirtyWrites(slot) > 0) return false;
    this.#mounts.delete(slot);
    this.#host.disconnect(slot);
    return true;
  }

  /** The machine lost its memory, and has, from now on, this place in the network. */
  restartOn(host: SimHost): void {
    this.#host = host;
    this.#mounts.clear();
  }

  [Symbol.dispose](): void {
    this.#timer?.[Symbol.dispose]();
    this.#timer = undefined;
    this.#mounts.clear();
  }

  #schedule(): void {
    if (this.#mounts.size === 0) return;
    this.#timer ??= this.#clock.after(this.#options.writeIntervalMs, () => this.#tick());
  }

  #tick(): void {
    this.#timer = undefined;
    for (const [slot, state] of this.#mounts) this.#work(slot, state);
    this.#schedule();
  }

  #work(slot: string, state: Mount): void {
    if (state === 'mounted') this.#host.write(slot);
    else if (state === 'mounting') this.#tryMount(slot);
  }

  #tryMount(slot: string): void {
    if (!this.#host.mount(slot)) return;
    this.#mounts.set(slot, 'mounted');
    this.#options.onMounted(slot);
  }
}
