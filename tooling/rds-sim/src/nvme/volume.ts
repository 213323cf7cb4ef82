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
  readonly filePath?: string;
  /** How long its disk takes for a write, ms; default: what the device has. */
  readonly writeServiceMs?: number;
}

/** What volumes of a device have in common. */
export interface DiskBehaviour {
  /** How long a disk takes for a write, ms. */
  writeServiceMs: number;
  /** Whether accepted writes count as in flight. They do not where they wait above the block layer. */
  readonly inFlightOpsCount: boolean;
}

interface DiskWrite {
  readonly sizeBytes: number;
  readonly timer: Disposable;
}

/** What the device prints about the writes of a volume. */
export interface VolumeCounters {
  readonly writeOps: number;
  readonly writeBytes: number;
  readonly inFlightOps: number;
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
  /** How long its disk takes for a write, ms; `undefined`: what the device has. */
  writeServiceMs: number | undefined;
  /** Counters of the real disk behind this volume; `undefined`: those of the model. */
  mirrored: VolumeCounters | undefined;
  readonly #clock: Clock;
  readonly #behaviour: DiskBehaviour;
  readonly #inFlight = new Set<DiskWrite>();
  #writeOps = 0;
  #writeBytes = 0;

  constructor(id: ItemId, options: VolumeOptions, clock: Clock, behaviour: DiskBehaviour) {
    this.id = id;
    this.slot = options.slot;
    this.nqn = options.nqn;
    this.sizeBytes = options.sizeBytes;
    this.port = options.port ?? 4420;
    this.exported = options.exported ?? true;
    this.filePath = options.filePath ?? `/raid10/volumes/${options.slot}.img`;
    this.writeServiceMs = options.writeServiceMs;
    this.#clock = clock;
    this.#behaviour = behaviour;
  }

  /** Finished writes since the device booted. */
  get writeOps(): number {
    return this.mirrored?.writeOps ?? this.#writeOps;
  }

  get writeBytes(): number {
    return this.mirrored?.writeBytes ?? this.#writeBytes;
  }

  /** As the block layer counts: 0 while accepted writes wait above it. */
  get inFlightOps(): number {
    if (this.mirrored) return this.mirrored.inFlightOps;
    return this.#behaviour.inFlightOpsCount ? this.#inFlight.size : 0;
  }

  /** Accepted writes that have not landed, whatever the block layer says. */
  get unfinishedWrites(): number {
    return this.#inFlight.size;
  }

  /** Carries a write out. Calls `landed` when it is on the disk: before this returns, when the disk takes no time. */
  write(sizeBytes: number, landed: () => void): void {
    const serviceMs = this.writeServiceMs ?? this.#behaviour.writeServiceMs;
    const finish = (): void => {
      this.#writeOps += 1;
      this.#writeBytes += sizeBytes;
      landed();
    };
    if (serviceMs === 0) return finish();
    const timer = this.#clock.after(serviceMs, () => {
      this.#inFlight.delete(write);
      finish();
    });
    const write: DiskWrite = { sizeBytes, timer };
    this.#inFlight.add(write);
  }

  /** The device lost power: writes that have not landed are lost, and the counters. */
  losePower(): void {
    for (const { timer } of this.#inFlight) timer[Symbol.dispose]();
    this.#inFlight.clear();
    this.#writeOps = 0;
    this.#writeBytes = 0;
  }
}
