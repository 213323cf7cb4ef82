import { ConnectAttempts, HANDSHAKE_BYTES } from './connect-attempts.ts';
import type { Flow } from './flow.ts';
import type { HostTimes } from './host-times.ts';
import type { Machine } from './machine.ts';
import { Queue } from './queue.ts';
import type { Command, HostEnd } from './queue-ends.ts';
import type { StorageNetwork } from './storage-network.ts';
import type { TargetController } from './target-controller.ts';
import type { Volume } from './volume.ts';

/** A write whose answer the host does not have: a dirty page, or one on its way. */
interface PendingWrite {
  readonly sizeBytes: number;
  readonly generation: number;
  readonly block: number;
  isSent: boolean;
}

/** Blocks that a host writes to in turn, unless it says which. Two writers of a volume meet on them. */
const BLOCKS = 64;

/** From the loss of one queue until the host closes the others. */
const TEAR_DOWN_MS = 1;

const REQUEST_BYTES = 124;

/** Packets of a queue's set-up after the TCP handshake, from the host and from the target. Measured. */
const ADMIN_SET_UP = [34, 25] as const;
const IO_SET_UP = [10, 6] as const;

/** One NVMe controller as its host drives it: connect, keep-alives, writes, time-outs, reconnects. */
export class HostController implements HostEnd {
  readonly volume: Volume;
  readonly address: string;
  readonly #machine: Machine;
  readonly #network: StorageNetwork;
  readonly #times: HostTimes;
  readonly #left: () => void;
  readonly #attempts: ConnectAttempts;
  readonly #pending = new Set<PendingWrite>();
  /** While the host believes to be connected. The admin queue comes first. */
  #queues: readonly Queue[] = [];
  #session: TargetController | undefined;
  /** The writer generation that the mounted file system belongs to. */
  #generation: number | undefined;
  #writes = 0;
  /** The volume is unmounted: once the pending writes are answered, the connection ends. */
  #isLeaving = false;
  /** Whether packets may get lost, so that every step is taken by the clock. Otherwise keep-alives are computed. */
  #isWatched = false;
  #nextKeepAliveMs = 0;
  #isKeepAliveUnanswered = false;
  /** A command was completed since the last keep-alive was due: the next one is left out. */
  #hasCompleted = false;
  #keepAliveTimer: Disposable | undefined;
  #ioTimer: Disposable | undefined;
  #tearDownTimer: Disposable | undefined;

  /** @param left called when a controller that was to leave has ended. */
  constructor(
    volume: Volume,
    address: string,
    machine: Machine,
    network: StorageNetwork,
    times: HostTimes,
    left: () => void,
  ) {
    this.volume = volume;
    this.address = address;
    this.#machine = machine;
    this.#network = network;
    this.#times = times;
    this.#left = left;
    const opened = (flow: Flow): void => this.#opened(flow);
    this.#attempts = new ConnectAttempts({ volume, address, machine, network, times, opened });
  }

  get canSend(): boolean {
    return this.#machine.canSend;
  }

  get canReceive(): boolean {
    return this.#machine.canReceive;
  }

  /** Whether the host believes to be connected. */
  get isConnected(): boolean {
    return this.#session !== undefined;
  }

  /** When it next tries to connect; `undefined`: it is connected, or tries now. */
  get nextAttemptAtMs(): number | undefined {
    return this.#attempts.nextAtMs;
  }

  get isLeaving(): boolean {
    return this.#isLeaving;
  }

  get pendingWrites(): number {
    return this.#pending.size;
  }

  /** Connects now; when that fails, tries again by the clock. */
  connect(): void {
    this.#isLeaving = false;
    if (!this.#session && !this.#attempts.areRunning) this.#attempts.start();
  }

  /** A new writer generation begins, if the volume can be read. */
  mount(): boolean {
    if (!this.#ask()) return false;
    this.#generation = this.#network.oracle.beginGeneration(this.volume.slot, this.#machine.name);
    return true;
  }

  /** Writes; whether the target has accepted it. If not, the write is pending. */
  write(sizeBytes: number, block?: number): boolean {
    const { slot } = this.volume;
    this.#generation ??= this.#network.oracle.beginGeneration(slot, this.#machine.name);
    const write: PendingWrite = {
      sizeBytes,
      generation: this.#generation,
      block: block ?? this.#writes % BLOCKS,
      isSent: false,
    };
    this.#writes += 1;
    this.#pending.add(write);
    return this.#submit(write);
  }

  /** Ends the connection, after the pending writes. */
  leave(): void {
    this.#isLeaving = true;
    this.#generation = undefined;
    this.#leaveWhenDone();
  }

  /** The machine forgets everything at once. */
  losePower(): void {
    this.#stopTimers();
    this.#pending.clear();
    for (const queue of this.#queues) queue.abandon();
    this.#session?.watch(true);
    this.#forgetSession();
  }

  /** Computes the keep-alives and acknowledgements that were due by `nowMs`. */
  settle(nowMs: number): void {
    const [admin] = this.#queues;
    if (!admin) return;
    const { keepAliveIntervalMs: intervalMs } = this.#times;
    if (!this.#isWatched && this.#hasKeepAlives) {
      if (this.#hasCompleted && this.#nextKeepAliveMs <= nowMs) {
        this.#hasCompleted = false;
        this.#nextKeepAliveMs += intervalMs;
      }
      if (this.#nextKeepAliveMs <= nowMs) {
        const count = Math.floor((nowMs - this.#nextKeepAliveMs) / intervalMs) + 1;
        admin.foldKeepAlives(this.#nextKeepAliveMs, count, intervalMs);
        this.#nextKeepAliveMs += count * intervalMs;
      }
    }
    for (const queue of this.#queues) queue.settle(nowMs);
  }

  /** Checks whether packets may get lost, and starts or stops the timers that this needs. */
  update(): void {
    if (!this.#session) return;
    const isRegular =
      !this.#isKeepAliveUnanswered && this.#queues.every((queue) => queue.isQuiet && queue.passes);
    if (isRegular === !this.#isWatched) return;
    this.#isWatched = !isRegular;
    this.#session.watch(this.#isWatched);
    if (!this.#isWatched) return this.#stopKeepAliveTimer();
    for (const queue of this.#queues) queue.watch();
    if (!this.#isKeepAliveUnanswered) this.#scheduleKeepAlive(this.#nextKeepAliveMs);
  }

  connectionLost(flow: Flow): void {
    if (!this.#queues.some((queue) => queue.flow === flow)) return;
    this.#tearDownTimer ??= this.#network.clock.after(TEAR_DOWN_MS, () => this.#tearDown());
  }

  recovered(): void {
    this.update();
  }

  get #hasKeepAlives(): boolean {
    return this.#times.keepAliveTimeoutMs > 0;
  }

  #scheduleKeepAlive(atMs: number): void {
    if (!this.#hasKeepAlives) return;
    this.#nextKeepAliveMs = atMs;
    const { clock } = this.#network;
    this.#stopKeepAliveTimer();
    this.#keepAliveTimer = clock.after(atMs - clock.now(), () => {
      if (!this.#hasCompleted) return this.#sendKeepAlive();
      this.#hasCompleted = false;
      this.#scheduleKeepAlive(atMs + this.#times.keepAliveIntervalMs);
    });
  }

  #sendKeepAlive(): void {
    const { clock } = this.#network;
    const session = this.#session;
    this.#isKeepAliveUnanswered = true;
    this.#keepAliveTimer = clock.after(this.#times.keepAliveAnswerMs, () => this.#tearDown());
    this.#queues[0]?.send({
      kind: 'keep-alive',
      sizeBytes: REQUEST_BYTES,
      carryOut: (done) => done(),
      answered: () => {
        if (this.#session !== session) return;
        this.#isKeepAliveUnanswered = false;
        this.#hasCompleted = false;
        this.#scheduleKeepAlive(clock.now() + this.#times.keepAliveIntervalMs);
      },
    });
    this.update();
  }

  /** Reads something; whether the answer came at once. */
  #ask(): boolean {
    const queue = this.#queues.at(-1);
    if (
      !queue?.ask({
        kind: 'read',
        sizeBytes: REQUEST_BYTES,
        carryOut: (done) => done(),
        answered: () => undefined,
      })
    ) {
      return false;
    }
    this.#hasCompleted = true;
    return true;
  }

  #submit(write: PendingWrite): boolean {
    const [admin, ...ioQueues] = this.#queues;
    const queue = ioQueues[this.#writes % Math.max(ioQueues.length, 1)] ?? admin;
    if (!queue) return false;
    write.isSent = true;
    const { oracle } = this.#network;
    const { slot } = this.volume;
    const { sizeBytes, generation, block } = write;
    const command: Command = {
      kind: 'write',
      sizeBytes: sizeBytes + REQUEST_BYTES,
      carryOut: (done) =>
        this.volume.write(sizeBytes, () => {
          oracle.landed({ slot, host: this.#machine.name, generation, block });
          done();
        }),
      answered: () => {
        this.#pending.delete(write);
        this.#hasCompleted = true;
        if (this.#isLeaving) this.#leaveWhenDone();
      },
    };
    const hasArrived = queue.send(command);
    if (this.#pending.has(write)) this.#watchAnswers();
    this.update();
    return hasArrived;
  }

  /** Resets the connection when an answer takes too long. */
  #watchAnswers(): void {
    if (this.#ioTimer) return;
    const waiting = [...this.#pending].filter(({ isSent }) => isSent);
    this.#ioTimer = this.#network.clock.after(this.#times.ioTimeoutMs, () => {
      this.#ioTimer = undefined;
      if (waiting.some((write) => this.#pending.has(write))) this.#tearDown();
      else if (this.#pending.size > 0) this.#watchAnswers();
    });
  }

  #leaveWhenDone(): void {
    if (this.#pending.size > 0) return;
    this.#stopTimers();
    const queues = this.#queues;
    this.#forgetSession();
    for (const queue of queues) queue.closeFromHost();
    this.#left();
  }

  /** The host gives the connection up; what was not answered is pending again. */
  #tearDown(): void {
    this.#stopTimers();
    const queues = this.#queues;
    this.#session?.watch(true);
    this.#forgetSession();
    for (const queue of queues) queue.closeFromHost();
    for (const write of this.#pending) write.isSent = false;
    this.#attempts.later();
  }

  #forgetSession(): void {
    this.#queues = [];
    this.#session = undefined;
    this.#isWatched = false;
    this.#isKeepAliveUnanswered = false;
  }

  #opened(adminFlow: Flow): void {
    const { target, clock, path } = this.#network;
    const session = target.open(this.volume, this.address, this.#times.keepAliveTimeoutMs);
    const flows = [
      adminFlow,
      ...Array.from({ length: this.#times.ioQueues }, () => this.#attempts.newFlow()),
    ];
    this.#session = session;
    this.#queues = flows.map((flow, index) => {
      if (index > 0) {
        path.fromHost(flow, 'syn', HANDSHAKE_BYTES);
        path.fromTarget(flow, 'syn-ack', HANDSHAKE_BYTES);
        path.fromHost(flow, 'ack', HANDSHAKE_BYTES);
      }
      const queue = new Queue(flow, clock, path, this, session);
      target.addQueue(session, queue);
      const [requests, answers] = index === 0 ? ADMIN_SET_UP : IO_SET_UP;
      queue.countSetUp(requests, answers);
      return queue;
    });
    this.#hasCompleted = true;
    this.#nextKeepAliveMs = clock.now() + this.#times.keepAliveIntervalMs;
    this.update();
    for (const write of this.#pending) this.#submit(write);
    if (this.#isLeaving) this.#leaveWhenDone();
  }

  #stopKeepAliveTimer(): void {
    this.#keepAliveTimer?.[Symbol.dispose]();
    this.#keepAliveTimer = undefined;
  }

  #stopTimers(): void {
    this.#stopKeepAliveTimer();
    this.#ioTimer?.[Symbol.dispose]();
    this.#ioTimer = undefined;
    this.#tearDownTimer?.[Symbol.dispose]();
    this.#tearDownTimer = undefined;
    this.#attempts.stop();
  }
}
