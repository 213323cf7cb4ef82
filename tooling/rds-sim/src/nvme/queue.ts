import type { Clock } from '@reattach/core';
import type { PacketPath } from '../device/packet-path.ts';
import type { Flow, PacketKind } from './flow.ts';
import type { Command, HostEnd, SocketState, TargetEnd } from './queue-ends.ts';
import { Retransmission } from './retransmission.ts';

const HEADER_BYTES = 52;
/** An NVMe/TCP request capsule and a response capsule, with their headers. */
const REQUEST_BYTES = 124;
const RESPONSE_BYTES = 76;

/** Linux delays the acknowledgement of data it has nothing to say to. */
const DELAYED_ACK_MS = 40;
/** From the target's FIN to its RST, when no command is unfinished. Measured: within 20 ms. */
const FIN_TO_RST_MS = 10;
/** From a FIN that arrives until the host gives the connection up. Longer, because a RST usually follows. */
const FIN_TO_TEAR_DOWN_MS = 20;

interface Sent {
  readonly command: Command;
  isDelivered: boolean;
}

interface Answer {
  readonly command: Command;
  isReceived: boolean;
}

/** One queue of an NVMe controller: a TCP connection with what both ends know of it. */
export class Queue {
  readonly flow: Flow;
  readonly #clock: Clock;
  readonly #path: PacketPath;
  readonly #host: HostEnd;
  readonly #target: TargetEnd;
  readonly #hostRepeats: Retransmission;
  readonly #targetRepeats: Retransmission;
  #isHostOpen = true;
  /** When the target's socket last received a segment, epoch ms: `lastrcv` of `ss`. */
  #lastReceivedMs: number;
  #socket: SocketState = 'established';
  /** Commands that the target has accepted and not finished. */
  #unfinished = 0;
  /** What the host has sent and the target not acknowledged. */
  #sent: Sent[] = [];
  /** What the target has sent and the host not acknowledged. */
  #answers: Answer[] = [];
  /** When the delayed acknowledgement of the host is due, epoch ms. */
  #ackDueMs: number | undefined;
  /** The target's RST, after its FIN. */
  #resetTimer: Disposable | undefined;
  /** The host's next step: a delayed acknowledgement that may get lost, or giving the connection up after a FIN. */
  #hostTimer: Disposable | undefined;

  constructor(flow: Flow, clock: Clock, path: PacketPath, host: HostEnd, target: TargetEnd) {
    this.flow = flow;
    this.#clock = clock;
    this.#lastReceivedMs = clock.now();
    this.#path = path;
    this.#host = host;
    this.#target = target;
    this.#hostRepeats = new Retransmission(clock, () => this.#recovered(this.#transmit()));
    this.#targetRepeats = new Retransmission(clock, () => this.#recovered(this.#repeatForHost()));
  }

  /** Of the target's socket. It stays until accepted commands are finished, unless the host resets it. */
  get socket(): SocketState {
    return this.#socket;
  }

  /** The connection is gone, and commands that it brought still run: the host ended it with a RST. */
  get isDangling(): boolean {
    return this.#socket === 'closed' && this.#unfinished > 0;
  }

  get lastReceivedMs(): number {
    return this.#lastReceivedMs;
  }

  /** Whether both ends are open, and nothing but a delayed acknowledgement is outstanding. */
  get isQuiet(): boolean {
    return (
      this.#isHostOpen &&
      this.#socket === 'established' &&
      this.#sent.length === 0 &&
      !this.#targetRepeats.isRunning
    );
  }

  /** Whether a request would arrive, and its answer too. */
  get passes(): boolean {
    return this.#host.canSend && this.#host.canReceive && this.#path.passes(this.flow);
  }

  /** Sends a command; TCP repeats it until it arrives. Whether it has arrived. */
  send(command: Command): boolean {
    const sent: Sent = { command, isDelivered: false };
    this.#sent.push(sent);
    if (!this.#hostRepeats.isRunning && !this.#transmit() && this.#isHostOpen) this.#hostRepeats.start();
    return sent.isDelivered;
  }

  /** A request that is given up when its answer does not come at once, such as a probe. Whether the answer came. */
  ask(command: Command): boolean {
    if (!this.isQuiet) return false;
    if (!this.passes) {
      this.#fromHost('data', command.sizeBytes);
      return false;
    }
    let isAnswered = false;
    this.send({ ...command, carryOut: (done) => done(), answered: () => (isAnswered = true) });
    return isAnswered;
  }

  /** Accounts for `count` keep-alives and their answers, `intervalMs` apart, the first at `firstMs`. */
  foldKeepAlives(firstMs: number, count: number, intervalMs: number): void {
    this.settle(firstMs);
    this.#keepAlive(firstMs);
    if (count === 1) return;
    this.settle(firstMs + DELAYED_ACK_MS);
    const middle = count - 2;
    const requests = { packets: 2 * middle, bytes: middle * (REQUEST_BYTES + HEADER_BYTES) };
    const answers = { packets: middle, bytes: middle * RESPONSE_BYTES };
    const lastMs = firstMs + (count - 1) * intervalMs;
    if (middle > 0) this.#path.count(this.flow, requests, answers, lastMs);
    this.#keepAlive(lastMs);
  }

  /** Accounts for the packets of a connection that was set up just now. */
  countSetUp(hostPackets: number, targetPackets: number): void {
    const fromHost = { packets: hostPackets, bytes: hostPackets * REQUEST_BYTES };
    const fromTarget = { packets: targetPackets, bytes: targetPackets * RESPONSE_BYTES };
    this.#path.count(this.flow, fromHost, fromTarget, this.#clock.now());
  }

  /** Sends the delayed acknowledgement if it was due by `atMs`. */
  settle(atMs: number): void {
    const dueMs = this.#ackDueMs;
    if (dueMs === undefined || dueMs > atMs) return;
    this.#ackDueMs = undefined;
    if (this.#fromHost('ack', HEADER_BYTES, dueMs)) this.#acknowledged();
    else this.#targetRepeats.start(dueMs - DELAYED_ACK_MS);
  }

  /** Packets may get lost from now on: the delayed acknowledgement is sent by the clock. */
  watch(): void {
    if (this.#ackDueMs === undefined || this.#hostTimer) return;
    this.#hostTimer = this.#clock.after(this.#ackDueMs - this.#clock.now(), () => {
      this.#hostTimer = undefined;
      this.settle(this.#clock.now());
    });
  }

  /** The target ends the connection: FIN now, RST when the accepted commands are finished. */
  closeFromTarget(): void {
    if (this.#socket !== 'established') return;
    this.#socket = 'fin-wait-1';
    this.#targetRepeats.stop();
    if (!this.#repeatForHost()) this.#targetRepeats.start();
    this.#resetWhenFinished();
  }

  /** The host ends the connection: FIN, then RST. Unfinished commands are carried out all the same. */
  closeFromHost(): void {
    if (!this.#isHostOpen) return;
    this.abandon();
    if (this.#fromHost('fin', HEADER_BYTES) && this.#socket === 'closed') this.#toHost('rst', HEADER_BYTES);
    if (this.#fromHost('rst', HEADER_BYTES)) this.#socketClosed();
  }

  /** The host forgets the connection without a word: its power is gone, or it has rebooted. */
  abandon(): void {
    this.#isHostOpen = false;
    this.#hostRepeats.stop();
    this.#hostTimer?.[Symbol.dispose]();
    this.#hostTimer = undefined;
    this.#sent = [];
    if (this.#ackDueMs !== undefined && this.#socket === 'established') {
      this.#targetRepeats.start(this.#ackDueMs - DELAYED_ACK_MS);
    }
    this.#ackDueMs = undefined;
  }

  /** The target forgets the connection without a word: the device has lost power. */
  losePower(): void {
    this.#unfinished = 0;
    this.#stopTarget();
    this.#socket = 'closed';
  }

  /** Ends every timer. */
  [Symbol.dispose](): void {
    this.abandon();
    this.#stopTarget();
  }

  #keepAlive(atMs: number): void {
    this.#ackDueMs = undefined;
    this.#fromHost('data', REQUEST_BYTES, atMs);
    this.#path.fromTarget(this.flow, 'data', RESPONSE_BYTES, true, atMs);
    this.#target.heard('keep-alive', atMs);
    this.#ackDueMs = atMs + DELAYED_ACK_MS;
  }

  /** Sends what the target has not got, or repeats what it has not acknowledged. Whether all is acknowledged. */
  #transmit(): boolean {
    if (!this.#isHostOpen) return true;
    const fresh = this.#sent.filter(({ isDelivered }) => !isDelivered);
    const sizes = (fresh.length > 0 ? fresh : this.#sent.slice(0, 1)).map(({ command }) => command.sizeBytes);
    const size = sizes.reduce((sum, bytes) => sum + bytes, 0);
    if (!this.#fromHost('data', size)) return false;
    this.#ackDueMs = undefined; // the data acknowledges too
    if (this.#answers.every(({ isReceived }) => isReceived)) this.#acknowledged();
    if (this.#socket === 'closed') {
      if (this.#toHost('rst', HEADER_BYTES)) this.#lostByHost();
      return !this.#isHostOpen;
    }
    const isAcknowledged = this.#receive(fresh);
    if (isAcknowledged) this.#sent = this.#sent.filter(({ isDelivered }) => !isDelivered);
    return isAcknowledged && this.#sent.length === 0;
  }

  /** The target takes commands in. Whether its acknowledgement, or an answer that carries it, reached the host. */
  #receive(commands: readonly Sent[]): boolean {
    let isAcknowledged = false;
    let isAnswering = true;
    for (const sent of commands) {
      sent.isDelivered = true;
      this.#unfinished += 1;
      this.#target.heard(sent.command.kind, this.#clock.now());
      let isAtOnce = true;
      sent.command.carryOut(() => {
        const hasArrived = this.#finish(sent.command);
        if (isAtOnce) isAcknowledged = hasArrived;
      });
      if (this.#unfinished > 0) isAnswering = false;
      isAtOnce = false;
    }
    if (commands.length > 0 && isAnswering) return isAcknowledged;
    return this.#toHost('ack', HEADER_BYTES);
  }

  /** The target has carried a command out, and answers it. Whether the answer reached the host. */
  #finish(command: Command): boolean {
    this.#unfinished = Math.max(this.#unfinished - 1, 0);
    if (this.#socket !== 'established') {
      if (this.#socket === 'fin-wait-1') this.#resetWhenFinished();
      return false;
    }
    this.#answers.push({ command, isReceived: false });
    const hasArrived = this.#toHost('data', RESPONSE_BYTES);
    if (hasArrived) this.#takeAnswers();
    else this.#targetRepeats.start();
    return hasArrived;
  }

  /** The host takes in what the target sent. A machine that does not know the connection resets it. */
  #takeAnswers(): void {
    if (!this.#isHostOpen) {
      this.#resetFromHost();
      return;
    }
    this.#ackDueMs = this.#clock.now() + DELAYED_ACK_MS;
    const fresh = this.#answers.filter(({ isReceived }) => !isReceived);
    for (const answer of fresh) answer.isReceived = true;
    if (!this.passes) this.watch();
    for (const { command } of fresh) command.answered();
  }

  /** The target learns that the host has all its answers. */
  #acknowledged(): void {
    this.#answers = [];
    if (this.#socket === 'established') this.#targetRepeats.stop();
  }

  /** Repeats a FIN or the oldest answer. Whether the host acknowledged it. */
  #repeatForHost(): boolean {
    const isFin = this.#socket === 'fin-wait-1';
    if (!isFin && this.#answers.length === 0) return true;
    if (!this.#toHost(isFin ? 'fin' : 'data', isFin ? HEADER_BYTES : RESPONSE_BYTES)) return false;
    if (!this.#isHostOpen) return this.#resetFromHost();
    if (isFin) {
      this.#tearDownAfterFin();
      return this.#fromHost('ack', HEADER_BYTES);
    }
    this.#takeAnswers();
    this.#ackDueMs = undefined; // what is repeated is acknowledged at once
    if (!this.#isHostOpen || !this.#fromHost('ack', HEADER_BYTES)) return false;
    this.#acknowledged();
    return true;
  }

  /** The host learns of a FIN, and gives the connection up unless a RST comes first. */
  #tearDownAfterFin(): void {
    this.#hostTimer?.[Symbol.dispose]();
    this.#hostTimer = this.#clock.after(FIN_TO_TEAR_DOWN_MS, () => {
      this.#hostTimer = undefined;
      if (this.#isHostOpen) this.#host.connectionLost(this.flow);
    });
  }

  #resetWhenFinished(): void {
    if (this.#unfinished > 0 || this.#resetTimer) return;
    this.#resetTimer = this.#clock.after(FIN_TO_RST_MS, () => {
      this.#resetTimer = undefined;
      if (this.#socket !== 'fin-wait-1') return;
      this.#socketClosed();
      if (this.#toHost('rst', HEADER_BYTES)) this.#lostByHost();
    });
  }

  #resetFromHost(): boolean {
    const hasArrived = this.#fromHost('rst', HEADER_BYTES);
    if (hasArrived) this.#socketClosed();
    return hasArrived;
  }

  #lostByHost(): void {
    if (!this.#isHostOpen) return;
    this.abandon();
    this.#host.connectionLost(this.flow);
  }

  #socketClosed(): void {
    this.#stopTarget();
    if (this.#socket === 'closed') return;
    this.#socket = 'closed';
    this.#target.queueClosed(this.flow);
  }

  #stopTarget(): void {
    this.#targetRepeats.stop();
    this.#resetTimer?.[Symbol.dispose]();
    this.#resetTimer = undefined;
    this.#answers = [];
  }

  #recovered(isAcknowledged: boolean): boolean {
    if (isAcknowledged) this.#host.recovered();
    return isAcknowledged;
  }

  /** Whether a packet of the host reached the target. */
  #fromHost(kind: PacketKind, sizeBytes: number, atMs?: number): boolean {
    const hasAll = this.#answers.every(({ isReceived }) => isReceived);
    const hasArrived = this.#host.canSend && this.#path.fromHost(this.flow, kind, sizeBytes, hasAll, atMs);
    if (hasArrived) this.#lastReceivedMs = Math.max(this.#lastReceivedMs, atMs ?? this.#clock.now());
    return hasArrived;
  }

  /** Whether a packet of the target reached the host. Connection tracking sees it in any case. */
  #toHost(kind: PacketKind, sizeBytes: number): boolean {
    const hasAll = this.#sent.every(({ isDelivered }) => isDelivered);
    this.#path.fromTarget(this.flow, kind, sizeBytes, hasAll);
    return this.#host.canReceive && this.#path.isUp;
  }
}
