import { type FakeControllerContext, Kubelet, type MachineStatus } from '@reattach/kube-sim';
import type { Cut, SimHost } from '@reattach/rds-sim';
import type { StorageServer } from '../storage/storage-server.ts';
import { WORLD_TIMES } from './times.ts';
import { Workload } from './workload.ts';

export interface MachineOptions {
  /** Unique over all runs of a cluster, as a system UUID is. */
  readonly id: string;
  /** The Node it registers as. */
  readonly nodeName: string;
  /** In the storage network; the first is the one that the Node reports. */
  readonly addresses: readonly string[];
  /** Addresses the Node reports beside the first. */
  readonly alsoReported?: readonly string[];
  readonly keepAliveTimeoutMs: number;
  readonly ioQueues: number;
  /** Volumes that are reached over the second address. */
  readonly secondPath?: (slot: string) => boolean;
  readonly context: FakeControllerContext;
  readonly storage: StorageServer;
  /** The volume is the disk of a virtual machine, not a file system of the node. */
  readonly isDisk: (slot: string) => boolean;
  /** Such a disk was connected: whether it may be used is for others to say. */
  readonly onDiskConnected: () => void;
  /** The machine mounted a volume. */
  readonly onMounted: (machine: Machine, slot: string) => void;
}

/**
 * A computer: its power, its kernel, its kubelet and its two networks, each of which fails on its own. It is not a Node: it
 * registers as one, and another machine may take over the name.
 */
export class Machine implements Disposable {
  readonly id: string;
  readonly nodeName: string;
  readonly kubelet: Kubelet;
  readonly workload: Workload;
  readonly #options: MachineOptions;
  #host: SimHost;
  #addresses: readonly string[];
  #boots = 1;
  #bootedAtMs: number;
  #powered = true;
  #hung = false;
  #kubeletAlive = true;
  #apiReachable = true;
  #storageCut: Cut = 'none';
  /** Another machine has the Node's name now: this one does not register any more. */
  #retired = false;
  /** The kubelet has not run since the last boot. */
  #rebooted = false;
  /** The cluster has a Node of its name. */
  #registered = true;
  #wellSinceMs: number | undefined;
  #unwellSinceMs: number | undefined;
  #changedAtMs: number;

  constructor(options: MachineOptions) {
    const { id, nodeName, addresses, context, storage } = options;
    this.#options = options;
    this.id = id;
    this.nodeName = nodeName;
    this.#addresses = addresses;
    this.#bootedAtMs = context.clock.now();
    this.#wellSinceMs = context.clock.now();
    this.#changedAtMs = context.clock.now();
    this.#host = this.#newHost();
    this.workload = new Workload(this.#host, {
      clock: context.clock,
      writeIntervalMs: WORLD_TIMES.writeIntervalMs,
      pathOf: (slot) => this.pathOf(slot),
      onMounted: (slot) => options.onMounted(this, slot),
    });
    this.kubelet = new Kubelet(context, {
      nodeName,
      leaseIntervalMs: WORLD_TIMES.leaseIntervalMs,
      statusIntervalMs: WORLD_TIMES.nodeStatusIntervalMs,
      machine: () => this.status,
      hooks: {
        onMount: (_volume, handle) => {
          if (!storage.device.volume(handle)) return;
          if (options.isDisk(handle)) {
            this.workload.connect(handle);
            options.onDiskConnected();
          } else this.workload.mount(handle);
        },
        // False keeps it in use: an umount hangs while there are dirty pages.
        onUnmount: (_volume, handle) => this.workload.unmount(handle),
      },
    });
    this.kubelet.start();
  }

  /** As the kubelet reports it. */
  get status(): MachineStatus {
    const reported = [this.#addresses[0] ?? '', ...(this.#options.alsoReported ?? [])];
    return {
      addresses: [
        ...reported.map((address) => ({ type: 'InternalIP', address })),
        { type: 'Hostname', address: this.nodeName },
      ],
      nodeInfo: { bootID: this.bootId, machineID: `machine-${this.id}`, systemUUID: `uuid-${this.id}` },
    };
  }

  get bootId(): string {
    return `boot-${this.id}-${this.#boots}`;
  }

  get bootedAtMs(): number {
    return this.#bootedAtMs;
  }

  /** All addresses it has in the storage network. */
  get addresses(): readonly string[] {
    return this.#addresses;
  }

  get host(): SimHost {
    return this.#host;
  }

  get isPowered(): boolean {
    return this.#powered;
  }

  get isHung(): boolean {
    return this.#hung;
  }

  get isKubeletAlive(): boolean {
    return this.#kubeletAlive;
  }

  get isRetired(): boolean {
    return this.#retired;
  }

  /** Packets of the machine can reach the backend, if the backend lets them in. */
  get reachesStorage(): boolean {
    return this.#powered && !this.#hung && this.#storageCut === 'none';
  }

  /** Everything about it works. */
  get isWell(): boolean {
    return (
      this.#powered &&
      !this.#hung &&
      this.#kubeletAlive &&
      this.#apiReachable &&
      this.#storageCut === 'none' &&
      this.#registered &&
      !this.#retired
    );
  }

  /** Since when; `undefined`: it does not. */
  get wellSinceMs(): number | undefined {
    return this.#wellSinceMs;
  }

  /** Since when something about it does not work. */
  get unwellSinceMs(): number | undefined {
    return this.#unwellSinceMs;
  }

  /** When something was last done to it, epoch ms. */
  get changedAtMs(): number {
    return this.#changedAtMs;
  }

  /** Over which address it reaches a volume. */
  pathOf(slot: string): string {
    const second = this.#addresses[1];
    return second !== undefined && this.#options.secondPath?.(slot) === true
      ? second
      : (this.#addresses[0] ?? '');
  }

  powerOff(): void {
    if (!this.#powered) return;
    this.#powered = false;
    this.#host.powerOff();
    this.workload.restartOn(this.#host);
    this.#update();
  }

  /** Another boot, nothing mounted; with other addresses where given. */
  powerOn(addresses: readonly string[] = this.#addresses): void {
    if (this.#powered) this.powerOff();
    this.#powered = true;
    this.#hung = false;
    this.#kubeletAlive = true;
    this.#boots += 1;
    this.#bootedAtMs = this.#options.context.clock.now();
    if (addresses.join() === this.#addresses.join()) this.#host.boot();
    else {
      this.#addresses = addresses;
      this.#host = this.#newHost();
    }
    this.workload.restartOn(this.#host);
    this.#rebooted = true;
    this.#update();
  }

  /** The kernel stops for a while: memory stays as it is. */
  hang(): void {
    if (!this.#powered) return;
    this.#hung = true;
    this.#update();
  }

  unhang(): void {
    this.#hung = false;
    this.#update();
  }

  stopKubelet(): void {
    this.#kubeletAlive = false;
    this.#update();
  }

  startKubelet(): void {
    this.#kubeletAlive = true;
    this.#update();
  }

  cutFromApi(): void {
    this.#apiReachable = false;
    this.#update();
  }

  /** @param cut default: nothing passes in either direction */
  cutFromStorage(cut: Exclude<Cut, 'none'> = 'both'): void {
    this.#storageCut = cut;
    this.#update();
  }

  /** Its Node was deleted, or is there again. A kubelet that runs does not register a second time. */
  setRegistered(isRegistered: boolean): void {
    this.#registered = isRegistered;
    this.#updateWell();
  }

  /** A kubelet that restarts registers its Node. */
  restartKubelet(): void {
    this.stopKubelet();
    this.startKubelet();
  }

  /** Both networks work again. */
  healNetworks(): void {
    this.#apiReachable = true;
    this.#storageCut = 'none';
    this.#update();
  }

  /** Its name is taken by another machine; it runs on, and the API server does not hear of it. */
  retire(): void {
    this.#retired = true;
    this.#update();
  }

  [Symbol.dispose](): void {
    this.kubelet[Symbol.dispose]();
    this.workload[Symbol.dispose]();
    this.#host.powerOff();
  }

  #newHost(): SimHost {
    const { id, keepAliveTimeoutMs, ioQueues, storage } = this.#options;
    return storage.device.addHost({
      name: this.#boots === 1 ? id : `${id}~${this.#boots}`,
      addresses: this.#addresses,
      keepAliveTimeoutMs,
      reconnectDelayMs: 10_000,
      ioQueues,
    });
  }

  /** Makes the parts follow. */
  #update(): void {
    if (this.#storageCut === 'none') this.#host.heal();
    else this.#host.partition(this.#storageCut);
    if (this.#hung) this.#host.hang();
    else this.#host.resume();
    const kubeletWorks =
      this.#powered && !this.#hung && this.#kubeletAlive && this.#apiReachable && !this.#retired;
    if (kubeletWorks) {
      this.kubelet.start({ rebooted: this.#rebooted });
      this.#rebooted = false;
    } else this.kubelet.stop();
    this.#updateWell();
  }

  #updateWell(): void {
    const nowMs = this.#options.context.clock.now();
    this.#changedAtMs = nowMs;
    this.#wellSinceMs = this.isWell ? (this.#wellSinceMs ?? nowMs) : undefined;
    this.#unwellSinceMs = this.isWell ? undefined : (this.#unwellSinceMs ?? nowMs);
  }
}
