import { Flow } from './flow.ts';
import type { HostTimes } from './host-times.ts';
import type { Machine } from './machine.ts';
import type { StorageNetwork } from './storage-network.ts';
import type { Volume } from './volume.ts';

export interface ConnectOptions {
  readonly volume: Volume;
  /** The host's. */
  readonly address: string;
  readonly machine: Machine;
  readonly network: StorageNetwork;
  readonly times: HostTimes;
  /** A connection for the admin queue is open, and the target accepts the volume. */
  readonly opened: (flow: Flow) => void;
}

/** A segment without data. */
export const HANDSHAKE_BYTES = 60;

/** TCP repeats a SYN after a second. */
const SYN_REPEAT_MS = 1_000;

/** Packets of a connection whose volume the target refuses, after the TCP handshake. Measured. */
const REFUSED_REQUESTS = { packets: 5, bytes: 5 * 124 };
const REFUSED_ANSWERS = { packets: 1, bytes: 76 };

/** A host's attempts to connect to a volume: one after another, without end, until one succeeds. */
export class ConnectAttempts {
  readonly #options: ConnectOptions;
  #timer: Disposable | undefined;
  #nextAtMs: number | undefined;

  constructor(options: ConnectOptions) {
    this.#options = options;
  }

  /** Whether an attempt is being made, or the next one is scheduled. */
  get areRunning(): boolean {
    return this.#timer !== undefined;
  }

  /** When the next attempt begins; `undefined` while one is being made, and when none is to come. */
  get nextAtMs(): number | undefined {
    return this.#nextAtMs;
  }

  /** Makes an attempt now: a SYN, repeated once, until the connect time-out. */
  start(): void {
    this.stop();
    const { network, times } = this.#options;
    const flow = this.newFlow();
    if (this.#open(flow)) return;
    const repeatMs = Math.min(SYN_REPEAT_MS, times.connectTimeoutMs / 2);
    this.#timer = network.clock.after(repeatMs, () => {
      this.#timer = undefined;
      if (this.#open(flow)) return;
      this.#timer = network.clock.after(times.connectTimeoutMs - repeatMs, () => this.later());
    });
  }

  /** Makes an attempt after the reconnect delay. */
  later(): void {
    this.stop();
    const { network, times } = this.#options;
    this.#nextAtMs = network.clock.now() + times.reconnectDelayMs;
    this.#timer = network.clock.after(times.reconnectDelayMs, () => this.start());
  }

  stop(): void {
    this.#timer?.[Symbol.dispose]();
    this.#timer = undefined;
    this.#nextAtMs = undefined;
  }

  /** A connection to the volume from a port of its own. */
  newFlow(): Flow {
    const { address, machine, network, volume } = this.#options;
    return new Flow(address, machine.nextPort(), network.address, volume.port);
  }

  /** Whether the target replied: the connection is open, or it was refused and the next attempt is scheduled. */
  #open(flow: Flow): boolean {
    const { machine, network, volume, opened } = this.#options;
    const { path } = network;
    if (!machine.canSend || !path.fromHost(flow, 'syn', HANDSHAKE_BYTES)) return false;
    const isListening = network.isListening(flow.targetPort);
    path.fromTarget(flow, isListening ? 'syn-ack' : 'rst', HANDSHAKE_BYTES);
    if (!machine.canReceive) return false;
    if (isListening) path.fromHost(flow, 'ack', HANDSHAKE_BYTES);
    if (isListening && volume.exported) {
      opened(flow);
      return true;
    }
    if (isListening) {
      path.count(flow, REFUSED_REQUESTS, REFUSED_ANSWERS, network.clock.now());
      path.fromTarget(flow, 'fin', HANDSHAKE_BYTES);
      path.fromTarget(flow, 'rst', HANDSHAKE_BYTES);
    }
    this.later();
    return true;
  }
}
