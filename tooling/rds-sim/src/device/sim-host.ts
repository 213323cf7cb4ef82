import type { Clock } from '@reattach/core';
import type { Device } from './device.ts';
import type { Packet } from './packet.ts';
import type { TargetController } from './target.ts';
import type { Volume } from './volume.ts';

export interface SimHostOptions {
  readonly name: string;
  /** Its addresses in the storage network; the first is used unless `connect` says otherwise. */
  readonly addresses: readonly string[];
  /** Default 5 000. */
  readonly keepAliveMs?: number;
  /** Pause between two attempts to reconnect, which never end (`ctrl_loss_tmo=-1`); default 10 000. */
  readonly reconnectDelayMs?: number;
  /** I/O queues beside the admin queue, each a TCP connection of its own; default 1. Keep-alives use the admin queue. */
  readonly ioQueues?: number;
}

/** One NVMe controller as its host sees it. */
interface Controller {
  readonly volume: Volume;
  readonly address: string;
  /** What it is connected to, if it believes to be. */
  session: TargetController | undefined;
  nextAttemptMs: number;
  /** The writer generation the mounted file system belongs to. */
  generation: number | undefined;
  /** Sizes of writes that wait for the connection: dirty pages. */
  readonly dirty: number[];
}

const ADMIN_PACKET_BYTES = 116;
const FIRST_EPHEMERAL_PORT = 32_768;
const EPHEMERAL_PORTS = 28_232;

/** A machine with volumes of the device. It notices that it was cut by answers that fail to come, and then reconnects for ever. */
export class SimHost {
  readonly name: string;
  readonly addresses: readonly string[];
  readonly #device: Device;
  readonly #clock: Clock;
  readonly #keepAliveMs: number;
  readonly #reconnectDelayMs: number;
  readonly #ioQueues: number;
  readonly #controllers = new Map<string, Controller>();
  #nextPort = FIRST_EPHEMERAL_PORT;
  #timer: Disposable | undefined;
  #powered = true;
  #partitioned = false;
  #boots = 1;

  /** @throws {TypeError} without an address. */
  constructor(device: Device, clock: Clock, options: SimHostOptions) {
    if (options.addresses.length === 0) throw new TypeError(`host ${options.name} needs an address`);
    this.name = options.name;
    this.addresses = options.addresses;
    this.#device = device;
    this.#clock = clock;
    this.#keepAliveMs = options.keepAliveMs ?? 5_000;
    this.#reconnectDelayMs = options.reconnectDelayMs ?? 10_000;
    this.#ioQueues = options.ioQueues ?? 1;
  }

  get powered(): boolean {
    return this.#powered;
  }

  get partitioned(): boolean {
    return this.#partitioned;
  }

  /** Changes with each boot, as a Node's `bootID` does. */
  get bootId(): string {
    return `${this.name}-boot-${this.#boots}`;
  }

  /** Of the volumes it is, or wants to be, connected to. */
  get slots(): readonly string[] {
    return [...this.#controllers.keys()];
  }

  /** Whether it believes to be connected. */
  connected(slot: string): boolean {
    return this.#controllers.get(slot)?.session !== undefined;
  }

  /** Writes that wait for the connection. */
  dirtyWrites(slot: string): number {
    return this.#controllers.get(slot)?.dirty.length ?? 0;
  }

  /**
   * Connects to a volume (nothing is done where it is connected) and keeps it so. Whether it succeeded at once; when not, it is tried again.
   * @throws {TypeError} when the device has no such volume, or the host is off.
   */
  connect(slot: string, options: { readonly address?: string } = {}): boolean {
    if (!this.#powered) throw new TypeError(`host ${this.name} is off`);
    const volume = this.#device.volume(slot);
    if (!volume) throw new TypeError(`the device has no volume ${slot}`);
    let controller = this.#controllers.get(slot);
    if (!controller) {
      const address = options.address ?? this.addresses[0] ?? '';
      controller = {
        volume,
        address,
        session: undefined,
        nextAttemptMs: 0,
        generation: undefined,
        dirty: [],
      };
      this.#controllers.set(slot, controller);
    }
    if (!controller.session) this.#reconnect(controller);
    this.#schedule();
    return controller.session !== undefined;
  }

  /** Says good-bye and forgets the volume with its mount and dirty writes. */
  disconnect(slot: string): void {
    const controller = this.#controllers.get(slot);
    if (!controller) return;
    this.#controllers.delete(slot);
    const { session } = controller;
    if (session) {
      let arrived = true;
      for (const srcPort of session.srcPorts) {
        arrived = this.#send(controller, srcPort, 'close', ADMIN_PACKET_BYTES) && arrived;
      }
      if (arrived) this.#device.target.release(session);
    }
    this.#schedule();
  }

  /** Mounts the volume: a new writer generation begins. False, and nothing begins, when the device cannot be reached. */
  mount(slot: string): boolean {
    const controller = this.#controllers.get(slot);
    if (!controller || !this.#admin(controller)) return false;
    controller.generation = this.#device.oracle.beginGeneration(slot);
    return true;
  }

  /** Writes once, now; whether the device accepted it. A host that has not mounted the volume does so by its first write. */
  write(slot: string, sizeBytes = 4096): boolean {
    const controller = this.#controllers.get(slot);
    return controller !== undefined && this.#write(controller, sizeBytes);
  }

  /** Writes as an application does: what the device does not accept now waits, and is replayed once the host is connected again. */
  writeBuffered(slot: string, sizeBytes = 4096): boolean {
    const controller = this.#controllers.get(slot);
    if (!controller) return false;
    if (controller.dirty.length === 0 && this.#write(controller, sizeBytes)) return true;
    controller.dirty.push(sizeBytes);
    return false;
  }

  /** No packet leaves it until `boot()`; mounts, connections and dirty writes are lost. */
  powerOff(): void {
    this.#powered = false;
    this.#controllers.clear();
    this.#schedule();
  }

  /** Starts it (anew, where it is on) with another boot id and nothing connected. */
  boot(): void {
    this.powerOff();
    this.#powered = true;
    this.#boots += 1;
  }

  /** Nothing it sends reaches the device; it runs on and keeps its dirty writes. */
  partition(): void {
    this.#partitioned = true;
  }

  /** Ends the partition; the host finds out when it next tries. */
  heal(): void {
    this.#partitioned = false;
  }

  /** One timer for the host, while it has a volume. */
  #schedule(): void {
    const wanted = this.#powered && this.#controllers.size > 0;
    if (wanted) this.#timer ??= this.#clock.after(this.#keepAliveMs, () => this.#tick());
    else {
      this.#timer?.[Symbol.dispose]();
      this.#timer = undefined;
    }
  }

  #tick(): void {
    this.#timer = undefined;
    for (const controller of this.#controllers.values()) {
      if (controller.session) {
        if (this.#admin(controller)) this.#flush(controller);
      } else if (this.#clock.now() >= controller.nextAttemptMs) this.#reconnect(controller);
    }
    this.#schedule();
  }

  /** A command on the admin queue, as keep-alives are; whether the device answered. */
  #admin(controller: Controller): boolean {
    return this.#exchange(controller, controller.session?.srcPorts[0], ADMIN_PACKET_BYTES);
  }

  #write(controller: Controller, sizeBytes: number): boolean {
    const srcPort = controller.session?.srcPorts.at(-1);
    const answeredLater = this.#device.writeServiceMs > 0;
    if (!this.#exchange(controller, srcPort, sizeBytes, answeredLater ? 'request' : 'data')) return false;
    const { volume } = controller;
    const generation = (controller.generation ??= this.#device.oracle.beginGeneration(volume.slot));
    volume.write(sizeBytes, this.#device.writeServiceMs);
    const land = () => this.#device.oracle.landed(volume.slot, this.name, generation);
    if (answeredLater) this.#awaitAnswer(controller, srcPort ?? 0, land);
    else land();
    return true;
  }

  /** Acknowledges the device's answer when it comes, if it can. */
  #awaitAnswer(controller: Controller, srcPort: number, land: () => void): void {
    const { address: srcAddress, session } = controller;
    const boots = this.#boots;
    const key = { srcAddress, srcPort, dstPort: session?.port ?? controller.volume.port };
    this.#device.answerLater(key, () => {
      land();
      if (this.#boots !== boots || controller.session !== session) return false;
      return this.#send(controller, srcPort, 'acknowledgement', 0);
    });
  }

  /** A packet that wants an answer. A device that knows nothing of the connection resets it. */
  #exchange(
    controller: Controller,
    srcPort: number | undefined,
    sizeBytes: number,
    kind: 'data' | 'request' = 'data',
  ): boolean {
    const { session } = controller;
    if (!session || srcPort === undefined || !this.#send(controller, srcPort, kind, sizeBytes)) return false;
    if (this.#device.target.hear(session)) return true;
    const dstPort = session.port;
    const key = { srcAddress: controller.address, srcPort, dstPort };
    this.#device.connections.closedByTarget(key, 'close', this.#clock.now());
    controller.session = undefined;
    controller.nextAttemptMs = this.#clock.now();
    return false;
  }

  #reconnect(controller: Controller): void {
    controller.nextAttemptMs = this.#clock.now() + this.#reconnectDelayMs;
    const { volume, address } = controller;
    const srcPorts = Array.from({ length: this.#ioQueues + 1 }, () => this.#port());
    const sent = srcPorts.map((port) => this.#send(controller, port, 'open', ADMIN_PACKET_BYTES));
    if (!volume.exported || sent.includes(false)) return;
    controller.session = this.#device.target.open(volume, address, srcPorts);
    this.#flush(controller);
  }

  #flush(controller: Controller): void {
    for (let size = controller.dirty[0]; size !== undefined; size = controller.dirty[0]) {
      if (!this.#write(controller, size)) return;
      controller.dirty.shift();
    }
  }

  #send(controller: Controller, srcPort: number, kind: Packet['kind'], sizeBytes: number): boolean {
    if (!this.#powered || this.#partitioned) return false;
    const dstPort = controller.session?.port ?? controller.volume.port;
    const { address: srcAddress } = controller;
    return this.#device.receive({
      kind,
      srcAddress,
      srcPort,
      dstAddress: this.#device.address,
      dstPort,
      sizeBytes,
    });
  }

  #port(): number {
    const port = this.#nextPort;
    this.#nextPort = FIRST_EPHEMERAL_PORT + ((port + 1 - FIRST_EPHEMERAL_PORT) % EPHEMERAL_PORTS);
    return port;
  }
}
