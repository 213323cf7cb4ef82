import type { Clock } from '@reattach/core';
import type { ItemId } from '../script/value.ts';

export interface VolumeOptions {
  /** The name of the disk at the device. */
  readonly slot: string;
  /** Of the NVMe subsystem it is exported as. */
  readonly nqn: string;
  readonly sizeBytes: number;
  /** Export port, default 4420. */
  readonly port?: number;
  /** Default true. */
  readonly exported?: boolean;
}

/** A file-backed disk exported over NVMe/TCP, with the counters the device keeps of it. */
export class Volume {
  readonly id: ItemId;
  readonly sizeBytes: number;
  readonly filePath: string;
  slot: string;
  nqn: string;
  port: number;
  exported: boolean;
  /** Stored and printed; not enforced. */
  allowHostName = '';
  readonly #clock: Clock;
  readonly #inFlightOpsCount: boolean;
  #writeOps = 0;
  #writeBytes = 0;
  /** Accepted writes that are not finished, oldest first. */
  #inFlight: { readonly doneAtMs: number; readonly sizeBytes: number }[] = [];

  constructor(
    id: ItemId,
    options: VolumeOptions & { readonly filePath?: string },
    clock: Clock,
    inFlightOpsCount: boolean,
  ) {
    this.id = id;
    this.slot = options.slot;
    this.nqn = options.nqn;
    this.sizeBytes = options.sizeBytes;
    this.port = options.port ?? 4420;
    this.exported = options.exported ?? true;
    this.filePath = options.filePath ?? `/raid10/volumes/${options.slot}.img`;
    this.#clock = clock;
    this.#inFlightOpsCount = inFlightOpsCount;
  }

  /** Finished writes since the device started. */
  get writeOps(): number {
    this.#settle();
    return this.#writeOps;
  }

  get writeBytes(): number {
    this.#settle();
    return this.#writeBytes;
  }

  get inFlightOps(): number {
    this.#settle();
    return this.#inFlightOpsCount ? this.#inFlight.length : 0;
  }

  /** @param serviceMs how long it stays in flight. */
  write(sizeBytes: number, serviceMs: number): void {
    this.#inFlight.push({ doneAtMs: this.#clock.now() + serviceMs, sizeBytes });
  }

  /** What a reboot does. */
  resetCounters(): void {
    this.#inFlight = [];
    this.#writeOps = 0;
    this.#writeBytes = 0;
  }

  #settle(): void {
    const nowMs = this.#clock.now();
    const open = this.#inFlight.filter(({ doneAtMs }) => doneAtMs > nowMs);
    for (const { doneAtMs, sizeBytes } of this.#inFlight) {
      if (doneAtMs > nowMs) continue;
      this.#writeOps += 1;
      this.#writeBytes += sizeBytes;
    }
    this.#inFlight = open;
  }
}
