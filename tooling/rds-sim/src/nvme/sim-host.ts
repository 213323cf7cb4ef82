import { HostController } from './host-controller.ts';
import { type HostTimes, hostTimes } from './host-times.ts';
import type { Machine } from './machine.ts';
import type { StorageNetwork } from './storage-network.ts';

export interface SimHostOptions extends Partial<HostTimes> {
  readonly name: string;
  /** Its addresses in the storage network; the first is used unless `connect` says otherwise. */
  readonly addresses: readonly string[];
}

/** Which packets are lost between host and device. */
export type Cut = 'none' | 'both' | 'to-target' | 'to-host';

const FIRST_EPHEMERAL_PORT = 32_768;
const EPHEMERAL_PORTS = 28_232;
/** Hosts begin at ports of their own, so that one that takes over an address does not continue its connections. */
const PORTS_PER_HOST = 997;

/** How long a host can send to a device whose answers to ARP do not arrive. Measured: about half a minute. */
const NEIGHBOUR_LIFETIME_MS = 30_000;

/** A machine with volumes of the device. It learns that it was cut off when answers fail to come, and reconnects without end. */
export class SimHost implements Machine {
  readonly name: string;
  readonly addresses: readonly string[];
  readonly #network: StorageNetwork;
  readonly #times: HostTimes;
  readonly #controllers = new Map<string, HostController>();
  readonly #firstPort: number;
  #ports = 0;
  #isPowered = true;
  #isHung = false;
  #cut: Cut = 'none';
  #cutAtMs = 0;
  #boots = 1;

  /** @param index how many hosts there were before it. @throws {TypeError} without an address. */
  constructor(network: StorageNetwork, options: SimHostOptions, index: number) {
    if (options.addresses.length === 0) throw new TypeError(`host ${options.name} needs an address`);
    this.name = options.name;
    this.addresses = options.addresses;
    this.#network = network;
    this.#times = hostTimes(options);
    this.#firstPort = index * PORTS_PER_HOST;
  }

  get powered(): boolean {
    return this.#isPowered;
  }

  /** Whether packets are lost in any direction. */
  get partitioned(): boolean {
    return this.#cut !== 'none';
  }

  get canSend(): boolean {
    if (!this.#isPowered || this.#isHung || this.#cut === 'both' || this.#cut === 'to-target') return false;
    return this.#cut === 'none' || this.#network.clock.now() - this.#cutAtMs < NEIGHBOUR_LIFETIME_MS;
  }

  get canReceive(): boolean {
    return this.#isPowered && !this.#isHung && this.#cut !== 'both' && this.#cut !== 'to-host';
  }

  /** Changes with each boot, as a Node's `bootID` does. */
  get bootId(): string {
    return `${this.name}-boot-${this.#boots}`;
  }

  /** Of the volumes it is, or wants to be, connected to. One that is to be left stays while writes are pending. */
  get slots(): readonly string[] {
    return [...this.#controllers.keys()];
  }

  /** Whether it believes to be connected. */
  connected(slot: string): boolean {
    return this.#controllers.get(slot)?.isConnected ?? false;
  }

  /** When it next tries to connect to one of its volumes; `undefined` while it is connected to one, or tries to connect. */
  get nextAttemptAtMs(): number | undefined {
    const attempts = [...this.#controllers.values()].map(
      ({ nextAttemptAtMs }) => nextAttemptAtMs ?? Number.NaN,
    );
    const nextMs = Math.min(...attempts);
    return Number.isFinite(nextMs) ? nextMs : undefined;
  }

  /** Writes without an answer: dirty pages, and those on their way. */
  dirtyWrites(slot: string): number {
    return this.#controllers.get(slot)?.pendingWrites ?? 0;
  }

  /**
   * Connects to a volume (nothing is done where it is connected) and keeps it so. Whether it succeeded at once; when not, it is tried again.
   * @throws {TypeError} when the device has no such volume, or the host is off.
   */
  connect(slot: string, options: { readonly address?: string } = {}): boolean {
    if (!this.#isPowered) throw new TypeError(`host ${this.name} is off`);
    const volume = this.#network.volume(slot);
    if (!volume) throw new TypeError(`the device has no volume ${slot}`);
    let controller = this.#controllers.get(slot);
    if (!controller) {
      const address = options.address ?? this.addresses[0] ?? '';
      const created = new HostController(volume, address, this, this.#network, this.#times, () => {
        if (this.#controllers.get(slot) === created) this.#controllers.delete(slot);
      });
      controller = created;
      this.#controllers.set(slot, created);
    }
    controller.connect();
    return controller.isConnected;
  }

  /**
   * Unmounts the volume and ends the connection. Pending writes are written first: a host that is cut off keeps them, and
   * the connection, until it is reached again.
   */
  disconnect(slot: string): void {
    this.#settle();
    this.#controllers.get(slot)?.leave();
  }

  /** Mounts the volume: a new writer generation begins. False, and none begins, when the device cannot be reached. */
  mount(slot: string): boolean {
    this.#settle();
    return this.#controllers.get(slot)?.mount() ?? false;
  }

  /**
   * Writes as an application does; whether the device accepted it at once. If not, the write is pending, and is carried out
   * or repeated when the device is reached again. A host that has not mounted the volume does so by its first write.
   * @param block which of the volume's blocks; default: one after another.
   */
  write(slot: string, sizeBytes = 4096, block?: number): boolean {
    const controller = this.#controllers.get(slot);
    if (!controller || this.#isHung || controller.isLeaving) return false;
    this.#settle();
    return controller.write(sizeBytes, block);
  }

  /** No packet leaves it until `boot()`; mounts, connections and pending writes are lost. */
  powerOff(): void {
    this.#network.changes.apply(() => {
      this.#isPowered = false;
      this.#isHung = false;
      for (const controller of this.#controllers.values()) controller.losePower();
      this.#controllers.clear();
    });
  }

  /** Starts it, or restarts it where it is on, with another boot id and nothing connected. */
  boot(): void {
    this.powerOff();
    this.#network.changes.apply(() => {
      this.#isPowered = true;
    });
    this.#boots += 1;
  }

  /** The kernel hangs until `resume()`: nothing is sent, received or written, and nothing is lost. */
  hang(): void {
    this.#network.changes.apply(() => {
      this.#isHung = true;
    });
  }

  resume(): void {
    this.#network.changes.apply(() => {
      this.#isHung = false;
    });
  }

  /** Packets are lost from now on; the host runs on and keeps its pending writes. @param cut default: in both directions. */
  partition(cut: Exclude<Cut, 'none'> = 'both'): void {
    this.#network.changes.apply(() => {
      this.#cut = cut;
      this.#cutAtMs = this.#network.clock.now();
    });
  }

  /** Ends the partition; both ends find out when they next try. */
  heal(): void {
    this.#network.changes.apply(() => {
      this.#cut = 'none';
    });
  }

  nextPort(): number {
    const port = FIRST_EPHEMERAL_PORT + ((this.#firstPort + this.#ports) % EPHEMERAL_PORTS);
    this.#ports += 1;
    return port;
  }

  /** For the device: computes what was due by `nowMs`. */
  settle(nowMs: number): void {
    for (const controller of this.#controllers.values()) controller.settle(nowMs);
  }

  /** For the device: what decides which packets pass has changed. */
  update(): void {
    for (const controller of this.#controllers.values()) controller.update();
  }

  #settle(): void {
    this.settle(this.#network.clock.now());
  }
}
