import type { Clock } from '@reattach/core';
import type { ItemId } from '../script/value.ts';
import type { ItemIds } from './item-ids.ts';
import type { Packet } from './packet.ts';

/** An entry of `/ip/firewall/connection`. */
export interface TrackedConnection {
  readonly id: ItemId;
  readonly srcAddress: string;
  readonly srcPort: number;
  readonly dstAddress: string;
  readonly dstPort: number;
  state: 'established' | 'fin-wait' | 'time-wait' | 'close';
  /** Time of the clock at which it vanishes, epoch ms. */
  expiresAtMs: number;
  packets: number;
  bytes: number;
  /** Data of the host that the device has not acknowledged. */
  requests: number;
  /** Since when the device repeats what the host does not acknowledge, epoch ms. */
  repeatingSinceMs: number | undefined;
}

/** `/ip/firewall/connection/tracking`; what may be set may be set by tests too. */
export interface TrackingSettings {
  /** `auto`: on while a firewall rule exists. */
  enabled: 'yes' | 'no' | 'auto';
  /** RouterOS: 1 day. */
  tcpEstablishedTimeoutMs: number;
  /**
   * To what an entry is cut down while data is not acknowledged, if that is less. RouterOS: 5 minutes
   * (`tcp-unacked-timeout` and `tcp-max-retrans-timeout`). A busy connection looks like a stale one.
   */
  tcpUnackedTimeoutMs: number;
  /** How long an entry outlives its connection. RouterOS: 10 s for fin-wait, time-wait and close alike. */
  tcpClosedTimeoutMs: number;
  /** Learns connections from packets in mid-stream. RouterOS: yes. */
  looseTcpTracking: boolean;
}

/** Connection tracking: every packet that reaches it creates or refreshes the entry of its connection. */
export class ConnectionTable {
  readonly settings: TrackingSettings;
  readonly #clock: Clock;
  readonly #ids: ItemIds;
  readonly #hasFirewallRule: () => boolean;
  readonly #entries = new Map<string, TrackedConnection>();

  constructor(clock: Clock, ids: ItemIds, settings: TrackingSettings, hasFirewallRule: () => boolean) {
    this.#clock = clock;
    this.#ids = ids;
    this.settings = settings;
    this.#hasFirewallRule = hasFirewallRule;
  }

  /** Whether tracking is really on. */
  get active(): boolean {
    return this.settings.enabled === 'yes' || (this.settings.enabled === 'auto' && this.#hasFirewallRule());
  }

  /** Those that have not ended; none while tracking is off. */
  get entries(): readonly TrackedConnection[] {
    if (!this.active) this.#entries.clear();
    const nowMs = this.#clock.now();
    for (const [key, entry] of this.#entries) {
      this.#noteRepeats(entry);
      if (entry.expiresAtMs <= nowMs) this.#entries.delete(key);
    }
    return [...this.#entries.values()];
  }

  knows(packet: Packet): boolean {
    return this.active && this.#live(packet) !== undefined;
  }

  /** Notes a packet that was let through. */
  track(packet: Packet): void {
    if (!this.active) return;
    const known = this.#live(packet);
    if (!known && packet.kind !== 'open' && !this.settings.looseTcpTracking) return;
    const entry = known ?? this.#create(packet);
    entry.packets += 1;
    entry.bytes += packet.sizeBytes;
    if (packet.kind === 'close') this.#end(entry, 'time-wait', this.#clock.now());
    else if (entry.state === 'established' || packet.kind === 'open') {
      entry.state = 'established';
      entry.repeatingSinceMs = undefined;
      if (packet.kind === 'request') entry.requests += 1;
      if (packet.kind === 'acknowledgement') entry.requests = Math.max(entry.requests - 1, 0);
      this.#refresh(entry, this.#clock.now());
    }
  }

  /** The device sent something that the host does not acknowledge, and repeats it from now on. */
  unanswered(connection: ConnectionKey): void {
    const entry = this.#entries.get(keyOf(connection));
    if (entry?.state !== 'established') return;
    entry.requests = Math.max(entry.requests - 1, 0);
    entry.repeatingSinceMs ??= this.#clock.now();
    this.#refresh(entry, this.#clock.now());
  }

  /** The device ends the connection from its side. @param atMs when that was: now or earlier, epoch ms. */
  closedByTarget(connection: ConnectionKey, state: 'fin-wait' | 'close', atMs: number): void {
    const entry = this.#entries.get(keyOf(connection));
    if (entry) this.#end(entry, state, atMs);
  }

  remove(entry: TrackedConnection): void {
    this.#entries.delete(keyOf(entry));
  }

  clear(): void {
    this.#entries.clear();
  }

  #live(packet: Packet): TrackedConnection | undefined {
    const entry = this.#entries.get(keyOf(packet));
    if (entry) this.#noteRepeats(entry);
    return entry && entry.expiresAtMs > this.#clock.now() ? entry : undefined;
  }

  #create(packet: Packet): TrackedConnection {
    const { srcAddress, srcPort, dstAddress, dstPort } = packet;
    const entry: TrackedConnection = {
      id: this.#ids.next(),
      srcAddress,
      srcPort,
      dstAddress,
      dstPort,
      state: 'established',
      expiresAtMs: 0,
      packets: 0,
      bytes: 0,
      requests: 0,
      repeatingSinceMs: undefined,
    };
    this.#entries.set(keyOf(entry), entry);
    return entry;
  }

  #refresh(entry: TrackedConnection, atMs: number): void {
    const { tcpEstablishedTimeoutMs, tcpUnackedTimeoutMs } = this.settings;
    const isUnacknowledged = entry.requests > 0 || entry.repeatingSinceMs !== undefined;
    entry.expiresAtMs =
      atMs +
      (isUnacknowledged ? Math.min(tcpUnackedTimeoutMs, tcpEstablishedTimeoutMs) : tcpEstablishedTimeoutMs);
  }

  /** The device's own packets refresh an entry too. */
  #noteRepeats(entry: TrackedConnection): void {
    if (entry.repeatingSinceMs === undefined || entry.state !== 'established') return;
    this.#refresh(entry, lastRepeatMs(entry.repeatingSinceMs, this.#clock.now()));
  }

  #end(entry: TrackedConnection, state: TrackedConnection['state'], atMs: number): void {
    entry.state = state;
    entry.expiresAtMs = atMs + this.settings.tcpClosedTimeoutMs;
  }
}

export interface ConnectionKey {
  readonly srcAddress: string;
  readonly srcPort: number;
  readonly dstPort: number;
}

/** When Linux last repeated a segment that it first sent at `sinceMs`: after 0.2 s, 0.4 s, ... up to 2 minutes, 15 times. */
function lastRepeatMs(sinceMs: number, nowMs: number): number {
  let lastMs = sinceMs;
  for (let n = 0; n < 15; n++) {
    const nextMs = lastMs + Math.min(200 * 2 ** n, 120_000);
    if (nextMs > nowMs) return lastMs;
    lastMs = nextMs;
  }
  return lastMs;
}

function keyOf({ srcAddress, srcPort, dstPort }: ConnectionKey): string {
  return `${srcAddress}:${srcPort}>${dstPort}`;
}
