import type { Clock } from '@reattach/core';
import type { Flow } from './flow.ts';
import type { Queue } from './queue.ts';
import type { SocketState } from './queue-ends.ts';
import { TargetController } from './target-controller.ts';
import type { Volume } from './volume.ts';

/** A connection of the target, as `ss` on a Linux target lists it. */
export interface TargetSocket {
  readonly state: Exclude<SocketState, 'closed'>;
  readonly flow: Flow;
  /** When it last received a segment, epoch ms. */
  readonly lastReceivedMs: number;
}

/** The NVMe/TCP target. */
export class Target implements Disposable {
  readonly #clock: Clock;
  readonly #controllers = new Set<TargetController>();
  /** Queues that may still have a socket, those of dropped controllers included. */
  readonly #queues = new Set<Queue>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  get controllers(): readonly TargetController[] {
    return [...this.#controllers];
  }

  /** Sockets of queues. One stays until the commands that its queue has accepted are finished, unless the host resets it. */
  get sockets(): readonly TargetSocket[] {
    return [...this.#queues].flatMap(({ socket: state, flow, lastReceivedMs }) =>
      state === 'closed' ? [] : [{ state, flow, lastReceivedMs }],
    );
  }

  /** Queues whose connection is gone while commands of them still run, as the kernel's workers that wait for them show. */
  get danglingQueues(): number {
    return [...this.#queues].filter(({ isDangling }) => isDangling).length;
  }

  open(volume: Volume, hostAddress: string, keepAliveTimeoutMs: number): TargetController {
    const controller = new TargetController(
      this.#clock,
      volume,
      hostAddress,
      keepAliveTimeoutMs,
      (closed) => void this.#controllers.delete(closed),
    );
    this.#controllers.add(controller);
    return controller;
  }

  addQueue(controller: TargetController, queue: Queue): void {
    for (const old of this.#queues) if (old.socket === 'closed' && !old.isDangling) this.#queues.delete(old);
    controller.addQueue(queue);
    this.#queues.add(queue);
  }

  /** Ends all controllers of a volume, as the device does when its export ends. */
  dropVolume(volume: Volume): void {
    for (const controller of this.controllers) if (controller.volume === volume) controller.drop();
  }

  /** The device has lost power: it forgets all connections without a word. */
  losePower(): void {
    for (const controller of this.#controllers) controller.losePower();
    for (const queue of this.#queues) queue.losePower();
    this.#controllers.clear();
    this.#queues.clear();
  }

  /** Ends every timer. */
  [Symbol.dispose](): void {
    for (const controller of this.#controllers) controller.watch(false);
    for (const queue of this.#queues) queue[Symbol.dispose]();
  }
}
