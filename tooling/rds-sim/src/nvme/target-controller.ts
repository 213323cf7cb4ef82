import type { Clock } from '@reattach/core';
import type { Flow } from './flow.ts';
import type { Queue } from './queue.ts';
import type { Command, TargetEnd } from './queue-ends.ts';
import type { Volume } from './volume.ts';

/** What the target knows of a host that is connected to a volume: its queues and its keep-alive timer. */
export class TargetController implements TargetEnd {
  readonly volume: Volume;
  readonly hostAddress: string;
  /** As the host asked for when it connected, ms; 0: the target waits without limit. */
  readonly keepAliveTimeoutMs: number;
  readonly #clock: Clock;
  readonly #closed: (controller: TargetController) => void;
  readonly #queues = new Map<Flow, Queue>();
  /** The timer was last set by the connect or by a keep-alive command, epoch ms. */
  #timerSetMs: number;
  #lastCommandMs: number;
  #timer: Disposable | undefined;

  /** @param closed called once, when the controller has been dropped or all its queues are closed. */
  constructor(
    clock: Clock,
    volume: Volume,
    hostAddress: string,
    keepAliveTimeoutMs: number,
    closed: (controller: TargetController) => void,
  ) {
    this.#clock = clock;
    this.volume = volume;
    this.hostAddress = hostAddress;
    this.keepAliveTimeoutMs = keepAliveTimeoutMs;
    this.#closed = closed;
    this.#timerSetMs = clock.now();
    this.#lastCommandMs = clock.now();
  }

  get queues(): readonly Queue[] {
    return [...this.#queues.values()];
  }

  addQueue(queue: Queue): void {
    this.#queues.set(queue.flow, queue);
  }

  heard(kind: Command['kind'], atMs: number): void {
    this.#lastCommandMs = atMs;
    if (kind === 'keep-alive') this.#timerSetMs = atMs;
  }

  queueClosed(flow: Flow): void {
    this.#queues.delete(flow);
    if (this.#queues.size === 0) this.#end();
  }

  /** Whether the keep-alive timer must run by the clock, because commands may fail to come. */
  watch(isNeeded: boolean): void {
    this.#timer?.[Symbol.dispose]();
    this.#timer = undefined;
    const expiresAtMs = isNeeded ? this.#expiresAtMs() : undefined;
    if (expiresAtMs === undefined) return;
    this.#timer = this.#clock.after(expiresAtMs - this.#clock.now(), () => {
      if ((this.#expiresAtMs() ?? 0) > this.#clock.now()) this.watch(true);
      else this.drop();
    });
  }

  /** Ends all connections of the host. */
  drop(): void {
    const queues = this.queues;
    this.#end();
    for (const queue of queues) queue.closeFromTarget();
  }

  /** The device has lost power. */
  losePower(): void {
    this.watch(false);
    for (const queue of this.queues) queue.losePower();
    this.#queues.clear();
  }

  /**
   * When the timer ends the controller if no further command comes: one to two time-outs after the last one. The timer that
   * fires after a command is set once more, as nvmet does it.
   */
  #expiresAtMs(): number | undefined {
    const timeoutMs = this.keepAliveTimeoutMs;
    if (timeoutMs === 0) return undefined;
    const periods = Math.max(Math.ceil((this.#lastCommandMs - this.#timerSetMs) / timeoutMs), 1);
    return this.#timerSetMs + (periods + 1) * timeoutMs;
  }

  #end(): void {
    this.watch(false);
    this.#closed(this);
  }
}
