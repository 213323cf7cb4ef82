import type { PacketPath } from '../device/packet-path.ts';
import { Flow } from './flow.ts';

export interface ForwardedFlowOptions {
  readonly srcAddress: string;
  /** Another target's. */
  readonly dstAddress: string;
  /** Default 4420. */
  readonly dstPort?: number;
  /** Between two exchanges, ms; default 1 250. */
  readonly intervalMs?: number;
}

const REQUEST_BYTES = 124;
const RESPONSE_BYTES = 76;
const SRC_PORT = 51_000;

/** A connection between two other machines that the device routes: connection tracking sees it, the target does not. */
export class ForwardedFlow implements Disposable {
  readonly #path: PacketPath;
  readonly #flow: Flow;
  readonly #intervalMs: number;
  #nextMs: number;
  #hasEnded = false;

  constructor(path: PacketPath, options: ForwardedFlowOptions, index: number, nowMs: number) {
    const { srcAddress, dstAddress, dstPort = 4420, intervalMs = 1_250 } = options;
    this.#path = path;
    this.#flow = new Flow(srcAddress, SRC_PORT + index, dstAddress, dstPort, 'forward');
    this.#intervalMs = intervalMs;
    this.#nextMs = nowMs + intervalMs;
    path.fromHost(this.#flow, 'syn', REQUEST_BYTES, true, nowMs);
    path.fromTarget(this.#flow, 'syn-ack', RESPONSE_BYTES, true, nowMs);
    path.fromHost(this.#flow, 'ack', REQUEST_BYTES, true, nowMs);
  }

  /** Computes what was sent by `nowMs`: only the last exchange determines the entry. */
  settle(nowMs: number): void {
    if (this.#hasEnded || this.#nextMs > nowMs) return;
    const count = Math.floor((nowMs - this.#nextMs) / this.#intervalMs) + 1;
    const lastMs = this.#nextMs + (count - 1) * this.#intervalMs;
    this.#nextMs += count * this.#intervalMs;
    if (!this.#path.fromHost(this.#flow, 'data', REQUEST_BYTES, true, lastMs)) return;
    this.#path.fromTarget(this.#flow, 'data', RESPONSE_BYTES, true, lastMs);
    this.#path.fromHost(this.#flow, 'ack', REQUEST_BYTES, true, lastMs);
  }

  /** The machines fall silent; the entry ages. */
  [Symbol.dispose](): void {
    this.#hasEnded = true;
  }
}
