import type { Clock } from '@reattach/core';
import type { ConnectionTable } from './connection-table.ts';
import type { Volume } from './volume.ts';

/** What the target knows of a host that is connected to a volume. */
export interface TargetController {
  readonly volume: Volume;
  readonly address: string;
  readonly port: number;
  /** Source ports of its queues, the admin queue first. */
  readonly srcPorts: readonly number[];
  lastHeardMs: number;
}

/** What a dropped controller leaves in connection tracking: nothing changes, or the device's own FIN is seen. */
export type TargetClose = 'lingers' | 'fin';

/** The NVMe/TCP target: a controller that was not heard of for more than `katoMs` is dropped. */
export class Target {
  readonly #clock: Clock;
  readonly #connections: ConnectionTable;
  readonly #katoMs: number;
  readonly #close: TargetClose;
  readonly #controllers = new Set<TargetController>();

  constructor(clock: Clock, connections: ConnectionTable, katoMs: number, close: TargetClose) {
    this.#clock = clock;
    this.#connections = connections;
    this.#katoMs = katoMs;
    this.#close = close;
  }

  get controllers(): readonly TargetController[] {
    this.expire();
    return [...this.#controllers];
  }

  open(volume: Volume, address: string, srcPorts: readonly number[]): TargetController {
    const { port } = volume;
    const controller: TargetController = { volume, address, port, srcPorts, lastHeardMs: this.#clock.now() };
    this.#controllers.add(controller);
    return controller;
  }

  /** Whether the target still has it; if so it was just heard of. */
  hear(controller: TargetController): boolean {
    this.expire();
    if (!this.#controllers.has(controller)) return false;
    controller.lastHeardMs = this.#clock.now();
    return true;
  }

  /** The host said good-bye. */
  release(controller: TargetController): void {
    this.#controllers.delete(controller);
  }

  /** Ends all controllers of `volume`, as the device does when its export ends. */
  dropVolume(volume: Volume): void {
    for (const controller of this.#controllers) {
      if (controller.volume === volume) this.#drop(controller, this.#clock.now(), 'fin');
    }
  }

  /** What a reboot does. */
  clear(): void {
    this.#controllers.clear();
  }

  /** Drops those whose keep-alives stopped, as of the moment each was due. */
  expire(): void {
    const nowMs = this.#clock.now();
    for (const controller of this.#controllers) {
      const dueMs = controller.lastHeardMs + this.#katoMs;
      if (dueMs < nowMs) this.#drop(controller, dueMs, this.#close);
    }
  }

  #drop(controller: TargetController, atMs: number, close: TargetClose): void {
    this.#controllers.delete(controller);
    if (close === 'lingers') return;
    const { address: srcAddress, port: dstPort } = controller;
    for (const srcPort of controller.srcPorts) {
      this.#connections.closedByTarget({ srcAddress, srcPort, dstPort }, 'fin-wait', atMs);
    }
  }
}
