import type { Clock } from '@reattach/core';
import type { ArrayApi, ArrayBlock, ArrayHost } from '../own-backend/array-api.ts';

/** An array in memory: hosts with power talk to it all the time, unless they are blocked. */
export class FakeArray implements ArrayApi {
  readonly #clock: Clock;
  readonly #hosts = new Map<string, ArrayHost>();
  readonly #powered = new Set<string>();
  readonly #blocks = new Map<string, ArrayBlock>();
  readonly volumes: string[] = [];
  isReachable = true;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  get blocks(): readonly ArrayBlock[] {
    return [...this.#blocks.values()];
  }

  powerOn(...ips: readonly string[]): void {
    for (const ip of ips) this.#powered.add(ip);
  }

  /** @param silentMs how long ago its last packet came */
  powerOff(ip: string, silentMs = 0): void {
    this.#powered.delete(ip);
    const lastSeenMs = this.#clock.now() - silentMs;
    this.#hosts.set(ip, { ip, inFlight: 0, ...this.#hosts.get(ip), lastSeenMs });
  }

  accepts(ip: string): boolean {
    return this.#powered.has(ip) && !this.blocks.some(({ ips }) => ips.includes(ip));
  }

  async read(signal: AbortSignal): Promise<Awaited<ReturnType<ArrayApi['read']>>> {
    this.#answer(signal);
    for (const ip of this.#powered)
      if (this.accepts(ip)) this.#hosts.set(ip, { ip, inFlight: 0, lastSeenMs: this.#clock.now() });
    return { hosts: [...this.#hosts.values()], blocks: this.blocks, volumes: this.volumes };
  }

  async block(block: ArrayBlock, signal: AbortSignal): Promise<void> {
    this.#answer(signal);
    this.#blocks.set(block.id, block);
  }

  async unblock(id: string, signal: AbortSignal): Promise<void> {
    this.#answer(signal);
    this.#blocks.delete(id);
  }

  #answer(signal: AbortSignal): void {
    signal.throwIfAborted();
    if (!this.isReachable) throw new Error('UNAVAILABLE: the array does not answer');
  }
}
