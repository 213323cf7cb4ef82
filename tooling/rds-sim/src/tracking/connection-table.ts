import type { Clock } from '@reattach/core';
import type { Changes } from '../device/changes.ts';
import type { ItemIds } from '../device/item-ids.ts';
import { Flow } from '../nvme/flow.ts';
import type { TcpState } from './tcp-state.ts';
import { TrackedConnection, type TrackedPacket } from './tracked-connection.ts';
import type { TrackingSettings } from './tracking-settings.ts';

/** An entry of a real connection tracking table. */
export interface RealConnection {
  readonly host: { readonly address: string; readonly port: number };
  readonly target: { readonly address: string; readonly port: number };
  readonly isHostOriginal: boolean;
  readonly state: TcpState;
  /** Time of the clock at which the entry ends, epoch ms. */
  readonly expiresAtMs: number;
  readonly hasSeenReply: boolean;
  readonly isAssured: boolean;
  readonly originalPackets: number;
  readonly originalBytes: number;
  readonly replyPackets: number;
  readonly replyBytes: number;
}

/** Connection tracking. While it is off, entries freeze: packets neither refresh nor create any, and they age. */
export class ConnectionTable {
  readonly settings: TrackingSettings;
  readonly #clock: Clock;
  readonly #ids: ItemIds;
  readonly #changes: Changes;
  readonly #isNeeded: () => boolean;
  readonly #entries = new Map<string, TrackedConnection>();

  /** @param isNeeded whether a firewall rule switches `auto` on. */
  constructor(
    clock: Clock,
    ids: ItemIds,
    changes: Changes,
    settings: TrackingSettings,
    isNeeded: () => boolean,
  ) {
    this.#clock = clock;
    this.#ids = ids;
    this.#changes = changes;
    this.settings = settings;
    this.#isNeeded = isNeeded;
  }

  /** Whether packets are tracked. */
  get active(): boolean {
    const { enabled } = this.settings.current;
    return enabled === 'yes' || (enabled === 'auto' && this.#isNeeded());
  }

  /** Entries that have not ended. */
  get entries(): readonly TrackedConnection[] {
    this.#changes.settle();
    const nowMs = this.#clock.now();
    for (const [key, { expiresAtMs }] of this.#entries) if (expiresAtMs <= nowMs) this.#entries.delete(key);
    return [...this.#entries.values()];
  }

  /** Whether a packet of the flow meets an entry. */
  knows(flow: Flow, atMs: number): boolean {
    return this.#find(flow, atMs) !== undefined;
  }

  /** Takes in a packet that was let through. */
  track(flow: Flow, packet: TrackedPacket): void {
    if (!this.active) return;
    const known = this.#find(flow, packet.atMs);
    if (known) {
      if (packet.kind === 'rst' && !known.hasSeenReply && packet.isFromHost !== known.isHostOriginal) {
        this.#entries.delete(flow.key); // a connection that was refused leaves no entry
      } else known.see(packet, this.settings.current);
      return;
    }
    if (packet.kind !== 'syn' && !this.settings.current.looseTcpTracking) return;
    const entry = new TrackedConnection(this.#ids.next(), flow, packet.isFromHost);
    if (entry.see(packet, this.settings.current)) this.#entries.set(flow.key, entry);
  }

  /** Counts packets of a flow whose state and time-out later packets determine. */
  count(flow: Flow, isFromHost: boolean, packets: number, bytes: number): void {
    if (this.active) this.#entries.get(flow.key)?.count(isFromHost, packets, bytes);
  }

  remove(entry: TrackedConnection): void {
    this.#changes.apply(() => this.#entries.delete(entry.flow.key));
  }

  /** Takes the entries of a real table instead of those that packets of the model made. */
  replace(entries: readonly RealConnection[]): void {
    this.#changes.apply(() => {
      this.#entries.clear();
      for (const { host, target, isHostOriginal, ...values } of entries) {
        const flow = new Flow(host.address, host.port, target.address, target.port);
        const entry = Object.assign(new TrackedConnection(this.#ids.next(), flow, isHostOriginal), values);
        this.#entries.set(flow.key, entry);
      }
    });
  }

  /** Flushes the table. */
  clear(): void {
    this.#changes.apply(() => this.#entries.clear());
  }

  #find(flow: Flow, atMs: number): TrackedConnection | undefined {
    const entry = this.#entries.get(flow.key);
    if (entry === undefined || entry.expiresAtMs > atMs) return entry;
    this.#entries.delete(flow.key);
    return undefined;
  }
}
