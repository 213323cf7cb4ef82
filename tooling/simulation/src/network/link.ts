import type { RunRandom } from '../time/run-random.ts';

/** How long a message takes in one direction, ms. */
export interface Delays {
  readonly minMs: number;
  readonly maxMs: number;
}

/** One way of a link. Messages of one stream keep their order; those of different requests overtake each other. */
export class Direction {
  /** Nothing gets through. */
  blocked = false;
  delays: Delays;
  readonly #random: RunRandom;

  constructor(delays: Delays, random: RunRandom) {
    this.delays = delays;
    this.#random = random;
  }

  /** The delay of one message, ms. */
  delayMs(): number {
    const { minMs, maxMs } = this.delays;
    return minMs + Math.floor(this.#random.next() * (maxMs - minMs + 1));
  }
}

/** The network between a client and a server, each way on its own. */
export class Link {
  readonly name: string;
  readonly toServer: Direction;
  readonly toClient: Direction;
  readonly #usual: Delays;
  readonly #listeners = new Set<() => void>();

  constructor(name: string, usual: Delays, random: RunRandom) {
    this.name = name;
    this.#usual = usual;
    this.toServer = new Direction(usual, random.fork(`${name} to server`));
    this.toClient = new Direction(usual, random.fork(`${name} to client`));
  }

  /** It works as it usually does. */
  get isWell(): boolean {
    return this.isWhole && this.toServer.delays === this.#usual;
  }

  get isWhole(): boolean {
    return !this.toServer.blocked && !this.toClient.blocked;
  }

  block(direction: 'both' | 'to-server' | 'to-client'): void {
    if (direction !== 'to-client') this.toServer.blocked = true;
    if (direction !== 'to-server') this.toClient.blocked = true;
    this.#changed();
  }

  slowDown(delays: Delays): void {
    this.toServer.delays = delays;
    this.toClient.delays = delays;
  }

  /** Ends partitions and delays. */
  heal(): void {
    for (const direction of [this.toServer, this.toClient]) {
      direction.blocked = false;
      direction.delays = this.#usual;
    }
    this.#changed();
  }

  /** Calls `listener` when a way is blocked or opened. */
  onChange(listener: () => void): Disposable {
    this.#listeners.add(listener);
    return { [Symbol.dispose]: () => void this.#listeners.delete(listener) };
  }

  #changed(): void {
    for (const listener of this.#listeners) listener();
  }
}
