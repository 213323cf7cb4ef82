import type { Clock } from '@reattach/core';
import { AddressList } from './address-list.ts';
import { type ConnectionKey, ConnectionTable, type TrackingSettings } from './connection-table.ts';
import { DeviceLog } from './device-log.ts';
import { type FirewallRule, FirewallRules } from './firewall-rules.ts';
import { ItemIds } from './item-ids.ts';
import { Oracle } from './oracle.ts';
import type { Packet } from './packet.ts';
import { SimHost, type SimHostOptions } from './sim-host.ts';
import { Target, type TargetClose } from './target.ts';
import { Volume, type VolumeOptions } from './volume.ts';

export interface DeviceOptions {
  readonly clock: Clock;
  /** Default `MikroTik-RDS`. */
  readonly identity?: string;
  /** Where hosts reach the exports; default 10.0.0.10. */
  readonly address?: string;
  /** Default: what RouterOS has from the factory (`auto`, 1 day, 5 minutes, 10 s, loose). */
  readonly tracking?: Partial<TrackingSettings>;
  /** Whether a rule in the raw table alone switches `auto` on. Nobody has checked; default true. */
  readonly rawRuleEnablesTracking?: boolean;
  /** How long the target waits for a host's keep-alive, ms; default 10 000. */
  readonly katoMs?: number;
  /** Default `lingers`. */
  readonly targetClose?: TargetClose;
  /** How long an accepted write stays in flight, ms; default 0. More than 0 lets tracking see unacknowledged data. */
  readonly writeServiceMs?: number;
  /** Whether `in-flight-ops` says so; nobody has checked what it counts. Default true. */
  readonly inFlightOpsCount?: boolean;
}

/** The storage device: its disks, its firewall, its connection tracking and its NVMe/TCP target. */
export class Device {
  readonly addressList: AddressList;
  readonly raw: FirewallRules;
  readonly filter: FirewallRules;
  readonly connections: ConnectionTable;
  readonly target: Target;
  readonly oracle: Oracle;
  readonly log: DeviceLog;
  readonly address: string;
  identity: string;
  /** What the device's own clock is off by; moves timestamps, no timeout. */
  clockOffsetMs = 0;
  readonly #clock: Clock;
  readonly #diskIds = new ItemIds();
  /** How long a write that is accepted from now on stays in flight, ms. */
  writeServiceMs: number;
  readonly #inFlightOpsCount: boolean;
  /** Answers the device has yet to give. */
  readonly #answers = new Set<Disposable>();
  readonly #volumes = new Map<string, Volume>();
  readonly #hosts = new Map<string, SimHost>();
  #startedAtMs: number;
  #up = true;

  constructor(options: DeviceOptions) {
    const { clock } = options;
    this.#clock = clock;
    this.#startedAtMs = clock.now();
    this.writeServiceMs = options.writeServiceMs ?? 0;
    this.#inFlightOpsCount = options.inFlightOpsCount ?? true;
    this.identity = options.identity ?? 'MikroTik-RDS';
    this.address = options.address ?? '10.0.0.10';
    const wallClockMs = () => this.wallClockMs;
    this.log = new DeviceLog(wallClockMs);
    this.addressList = new AddressList(clock, new ItemIds(), wallClockMs);
    this.raw = new FirewallRules(new ItemIds(), this.addressList);
    this.filter = new FirewallRules(new ItemIds(), this.addressList);
    const settings: TrackingSettings = {
      enabled: 'auto',
      tcpEstablishedTimeoutMs: 86_400_000,
      tcpUnackedTimeoutMs: 300_000,
      tcpClosedTimeoutMs: 10_000,
      looseTcpTracking: true,
      ...options.tracking,
    };
    const rawCounts = options.rawRuleEnablesTracking ?? true;
    const hasRule = () => this.filter.rules.length > 0 || (rawCounts && this.raw.rules.length > 0);
    this.connections = new ConnectionTable(clock, new ItemIds(), settings, hasRule);
    this.target = new Target(
      clock,
      this.connections,
      options.katoMs ?? 10_000,
      options.targetClose ?? 'lingers',
    );
    this.oracle = new Oracle(clock);
    this.#diskIds.next(); // the array the volumes' files lie on
  }

  /** What the device believes the time to be, epoch ms. */
  get wallClockMs(): number {
    return this.#clock.now() + this.clockOffsetMs;
  }

  get uptimeMs(): number {
    return this.#clock.now() - this.#startedAtMs;
  }

  /** False between `stop()` and `boot()`. */
  get up(): boolean {
    return this.#up;
  }

  get volumes(): readonly Volume[] {
    return [...this.#volumes.values()];
  }

  get hosts(): readonly SimHost[] {
    return [...this.#hosts.values()];
  }

  volume(slot: string): Volume | undefined {
    return this.#volumes.get(slot);
  }

  host(name: string): SimHost | undefined {
    return this.#hosts.get(name);
  }

  /** @throws {TypeError} when the slot is taken. */
  addVolume(options: VolumeOptions & { readonly filePath?: string }): Volume {
    if (this.#volumes.has(options.slot)) throw new TypeError(`slot ${options.slot} exists already`);
    const volume = new Volume(this.#diskIds.next(), options, this.#clock, this.#inFlightOpsCount);
    this.#volumes.set(volume.slot, volume);
    return volume;
  }

  /** Cuts its hosts and forgets it. */
  removeVolume(volume: Volume): void {
    volume.exported = false;
    this.target.dropVolume(volume);
    this.#volumes.delete(volume.slot);
  }

  /** Ends or begins the export; an end cuts every host of the volume. */
  setExported(volume: Volume, exported: boolean): void {
    volume.exported = exported;
    if (!exported) this.target.dropVolume(volume);
  }

  /** @throws {TypeError} when the name is taken. */
  addHost(options: SimHostOptions): SimHost {
    if (this.#hosts.has(options.name)) throw new TypeError(`host ${options.name} exists already`);
    const host = new SimHost(this, this.#clock, options);
    this.#hosts.set(host.name, host);
    return host;
  }

  /** Installs what an operator installs once: a raw rule that drops NVMe/TCP from the hosts of a list. */
  addDropRule(options: { readonly list?: string; readonly port?: number | string } = {}): FirewallRule {
    const { list = 'reattach-fenced', port = 4420 } = options;
    return this.raw.add({
      chain: 'prerouting',
      action: 'drop',
      protocol: 'tcp',
      'dst-port': String(port),
      'src-address-list': list,
      comment: 'reattach',
    });
  }

  /** A packet arrives from the network; whether the target gets it. Raw rules come before tracking, filter rules after. */
  receive(packet: Packet): boolean {
    if (!this.#up) return false;
    this.target.expire();
    const established = this.connections.knows(packet);
    const raw = this.raw.judge('prerouting', packet, established);
    if (raw === 'drop') return false;
    const dropped = this.filter.judge('input', packet, established) === 'drop';
    if (raw === 'pass' && (established || !dropped)) this.connections.track(packet);
    return !dropped;
  }

  /** The device carries a write out, cut off or not, and answers it then; `carryOut` says whether the host's acknowledgement arrived. */
  answerLater(connection: ConnectionKey, carryOut: () => boolean): void {
    const timer = this.#clock.after(this.writeServiceMs, () => {
      this.#answers.delete(timer);
      if (this.#up && !carryOut()) this.connections.unanswered(connection);
    });
    this.#answers.add(timer);
  }

  /** Down at once, as when the power goes: all that lives in memory is lost, no packet is answered. */
  stop(): void {
    this.#up = false;
    this.target.clear();
    this.connections.clear();
    this.addressList.removeDynamic();
    for (const rules of [this.raw, this.filter]) {
      rules.removeDynamic();
      rules.resetCounters();
    }
    for (const volume of this.#volumes.values()) volume.resetCounters();
  }

  boot(): void {
    this.#up = true;
    this.#startedAtMs = this.#clock.now();
    this.log.add('system,info', 'router rebooted');
  }

  /** Ends every timer. */
  [Symbol.dispose](): void {
    for (const answer of this.#answers) answer[Symbol.dispose]();
    for (const host of this.#hosts.values()) host.powerOff();
  }
}
