import type { Flow, PacketKind } from '../nvme/flow.ts';
import type { ItemId } from '../script/value.ts';
import { type TcpState, type Transition, transition } from './tcp-state.ts';
import type { TrackingOptions } from './tracking-settings.ts';

/** A packet as connection tracking sees it. */
export interface TrackedPacket {
  readonly kind: PacketKind;
  readonly isFromHost: boolean;
  readonly sizeBytes: number;
  /** When it passed, epoch ms: now, or earlier for traffic that is computed late. */
  readonly atMs: number;
  /** Whether it acknowledges everything that the other side has sent. */
  readonly acknowledgesAll: boolean;
}

/** An entry of `/ip/firewall/connection`. */
export class TrackedConnection {
  readonly id: ItemId;
  readonly flow: Flow;
  /** Whether the first packet came from the host. After a flush it may come from the target: the row is reversed. */
  readonly isHostOriginal: boolean;
  state: TcpState | 'none' = 'none';
  /** Time of the clock at which the entry ends, epoch ms. */
  expiresAtMs = 0;
  hasSeenReply = false;
  isAssured = false;
  originalPackets = 0;
  originalBytes = 0;
  replyPackets = 0;
  replyBytes = 0;
  /** Directions with data that the other side has not acknowledged. */
  readonly #unacknowledged = { original: false, reply: false };
  /** A repeated SYN was ignored; the SYN/ACK that answers it counts again. */
  #hasIgnoredSyn = false;

  constructor(id: ItemId, flow: Flow, isHostOriginal: boolean) {
    this.id = id;
    this.flow = flow;
    this.isHostOriginal = isHostOriginal;
  }

  get srcAddress(): string {
    return this.isHostOriginal ? this.flow.hostAddress : this.flow.targetAddress;
  }

  get srcPort(): number {
    return this.isHostOriginal ? this.flow.hostPort : this.flow.targetPort;
  }

  get dstAddress(): string {
    return this.isHostOriginal ? this.flow.targetAddress : this.flow.hostAddress;
  }

  get dstPort(): number {
    return this.isHostOriginal ? this.flow.targetPort : this.flow.hostPort;
  }

  /** What RouterOS prints: an entry exists only after its first packet. */
  get tcpState(): TcpState {
    return this.state === 'none' ? 'syn-sent' : this.state;
  }

  /** Takes a packet in; whether it belongs to the entry. */
  see(packet: TrackedPacket, timeouts: TrackingOptions): boolean {
    const isOriginal = packet.isFromHost === this.isHostOriginal;
    const direction = isOriginal ? 'original' : 'reply';
    const from = this.state;
    let to: Transition = transition(from, direction, packet.kind);
    if (to === 'ignore') {
      if (packet.kind === 'syn') this.#hasIgnoredSyn = true;
      if (packet.kind !== 'syn-ack' || !this.#hasIgnoredSyn || from !== 'syn-received') return true;
      to = 'syn-received';
    }
    if (to === 'invalid') return false;
    this.#hasIgnoredSyn = false;
    this.state = to;
    if (packet.acknowledgesAll) this.#unacknowledged[isOriginal ? 'reply' : 'original'] = false;
    if (packet.kind === 'data') this.#unacknowledged[direction] = true;
    this.expiresAtMs = packet.atMs + this.#timeoutMs(to, timeouts);
    if (this.hasSeenReply && to === 'established' && (from === 'syn-received' || from === 'established')) {
      this.isAssured = true;
    }
    if (!isOriginal) this.hasSeenReply = true;
    this.count(packet.isFromHost, 1, packet.sizeBytes);
    return true;
  }

  count(isFromHost: boolean, packets: number, bytes: number): void {
    if (isFromHost === this.isHostOriginal) {
      this.originalPackets += packets;
      this.originalBytes += bytes;
    } else {
      this.replyPackets += packets;
      this.replyBytes += bytes;
    }
  }

  #timeoutMs(state: TcpState, timeouts: TrackingOptions): number {
    if (state === 'syn-sent' || state === 'syn-received') return timeouts.tcpSynTimeoutMs;
    if (state !== 'established') return timeouts.tcpClosedTimeoutMs;
    const { original, reply } = this.#unacknowledged;
    const isComplete = this.hasSeenReply && !original && !reply;
    const { tcpEstablishedTimeoutMs, tcpUnackedTimeoutMs } = timeouts;
    return isComplete ? tcpEstablishedTimeoutMs : Math.min(tcpUnackedTimeoutMs, tcpEstablishedTimeoutMs);
  }
}
