import type { Clock } from '@reattach/core';
import { Flow } from '../nvme/flow.ts';
import { ForwardedFlow, type ForwardedFlowOptions } from '../nvme/forwarded-flow.ts';
import { Oracle } from '../nvme/oracle.ts';
import { SimHost, type SimHostOptions } from '../nvme/sim-host.ts';
import type { StorageNetwork } from '../nvme/storage-network.ts';
import { Target } from '../nvme/target.ts';
import { type DiskBehaviour, Volume, type VolumeOptions } from '../nvme/volume.ts';
import { ConnectionTable } from '../tracking/connection-table.ts';
import { type TrackingOptions, TrackingSettings } from '../tracking/tracking-settings.ts';
import { AddressList } from './address-list.ts';
import { Changes } from './changes.ts';
import { DeviceLog } from './device-log.ts';
import type { FirewallRule } from './firewall-rule.ts';
import { FirewallRules } from './firewall-rules.ts';
import { ItemIds } from './item-ids.ts';
import { type Offload, PacketPath } from './packet-path.ts';

export interface DeviceOptions {
  readonly clock: Clock;
  /** Default `MikroTik-RDS`. */
  readonly identity?: string;
  /** Where hosts reach the exports; default 10.0.0.10. */
  readonly address?: string;
  /** Default: what RouterOS has from the factory (`auto`, 1 day, 5 minutes, 10 s, loose). */
  readonly tracking?: Partial<TrackingOptions>;
  /** Whether a rule in the raw table alone switches `auto` on. Measured on Linux: it does not. Default false. */
  readonly rawRuleEnablesTracking?: boolean;
  /** How long disks take for a write, ms; default 0. */
  readonly writeServiceMs?: number;
  /** Whether `in-flight-ops` counts accepted writes. Measured with a slow disk on Linux: it does not. Default false. */
  readonly inFlightOpsCount?: boolean;
  /** Whether `/ip/service print where dynamic` lists connections to exports. Unknown on real devices. Default false. */
  readonly servicesListExportSockets?: boolean;
}

/** The simulated ROSE Data Server: its disks, its firewall, its connection tracking and its NVMe/TCP target. */
export class Device implements StorageNetwork, Disposable {
  readonly clock: Clock;
  readonly changes: Changes = new Changes();
  readonly addressList: AddressList;
  readonly raw: FirewallRules;
  readonly filter: FirewallRules;
  readonly connections: ConnectionTable;
  readonly path: PacketPath;
  readonly target: Target;
  readonly oracle: Oracle;
  readonly log: DeviceLog;
  readonly address: string;
  readonly servicesListExportSockets: boolean;
  identity: string;
  /** By how much the device's own clock is wrong, ms; moves timestamps, no time-out. */
  clockOffsetMs = 0;
  readonly #disks: DiskBehaviour;
  readonly #diskIds = new ItemIds();
  readonly #volumes = new Map<string, Volume>();
  readonly #hosts = new Map<string, SimHost>();
  readonly #forwarded: ForwardedFlow[] = [];
  #startedAtMs: number;

  constructor(options: DeviceOptions) {
    const { clock } = options;
    this.clock = clock;
    this.#startedAtMs = clock.now();
    this.#disks = {
      writeServiceMs: options.writeServiceMs ?? 0,
      inFlightOpsCount: options.inFlightOpsCount ?? false,
    };
    this.identity = options.identity ?? 'MikroTik-RDS';
    this.address = options.address ?? '10.0.0.10';
    this.servicesListExportSockets = options.servicesListExportSockets ?? false;
    const wallClockMs = (): number => this.wallClockMs;
    this.log = new DeviceLog(wallClockMs);
    this.addressList = new AddressList(clock, new ItemIds(), this.changes, wallClockMs);
    this.raw = new FirewallRules(new ItemIds(), this.addressList, this.changes);
    this.filter = new FirewallRules(new ItemIds(), this.addressList, this.changes);
    const settings = new TrackingSettings(options.tracking ?? {}, this.changes);
    const doesRawCount = options.rawRuleEnablesTracking ?? false;
    const isNeeded = (): boolean =>
      this.filter.rules.length > 0 || (doesRawCount && this.raw.rules.length > 0);
    this.connections = new ConnectionTable(clock, new ItemIds(), this.changes, settings, isNeeded);
    this.path = new PacketPath(clock, this.changes, this.raw, this.filter, this.connections);
    this.target = new Target(clock);
    this.oracle = new Oracle(clock);
    this.#diskIds.next(); // the array the volumes' files lie on
    this.changes.listen(
      () => this.#settle(),
      () => {
        for (const host of this.#hosts.values()) host.update();
      },
    );
  }

  /** What the device believes the time to be, epoch ms. */
  get wallClockMs(): number {
    return this.clock.now() + this.clockOffsetMs;
  }

  get uptimeMs(): number {
    return this.clock.now() - this.#startedAtMs;
  }

  /** False between `stop()` and `boot()`. */
  get up(): boolean {
    return this.path.isUp;
  }

  /** How long disks take for a write that is accepted from now on, ms. */
  get writeServiceMs(): number {
    return this.#disks.writeServiceMs;
  }

  set writeServiceMs(writeServiceMs: number) {
    this.#disks.writeServiceMs = writeServiceMs;
  }

  /** How packets get past firewall and connection tracking unseen. */
  get offload(): Offload {
    return this.path.offload;
  }

  set offload(offload: Offload) {
    this.path.offload = offload;
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

  isListening(port: number): boolean {
    return this.volumes.some((volume) => volume.exported && volume.port === port);
  }

  /** @throws {TypeError} when the slot is taken. */
  addVolume(options: VolumeOptions): Volume {
    if (this.#volumes.has(options.slot)) throw new TypeError(`slot ${options.slot} exists already`);
    const volume = new Volume(this.#diskIds.next(), options, this.clock, this.#disks);
    this.#volumes.set(volume.slot, volume);
    return volume;
  }

  /** Ends the connections of its hosts and forgets it. */
  removeVolume(volume: Volume): void {
    this.setExported(volume, false);
    this.#volumes.delete(volume.slot);
  }

  /** Ends or begins the export; an end closes the connections of every host of the volume. */
  setExported(volume: Volume, exported: boolean): void {
    this.changes.apply(() => {
      volume.exported = exported;
      if (!exported) this.target.dropVolume(volume);
    });
  }

  /** @throws {TypeError} when the name is taken. */
  addHost(options: SimHostOptions): SimHost {
    if (this.#hosts.has(options.name)) throw new TypeError(`host ${options.name} exists already`);
    const host = new SimHost(this, options, this.#hosts.size);
    this.#hosts.set(host.name, host);
    return host;
  }

  /** A live connection between two other machines through the device. Disposal silences it. */
  forward(options: ForwardedFlowOptions): Disposable {
    const flow = new ForwardedFlow(this.path, options, this.#forwarded.length, this.clock.now());
    this.#forwarded.push(flow);
    return flow;
  }

  /** Whether the firewall drops what a host sends over an established connection. */
  blocks(hostAddress: string, port = 4420): boolean {
    const flow = new Flow(hostAddress, 1, this.address, port);
    return [this.raw.judge('prerouting', flow, true), this.filter.judge('input', flow, true)].some(
      ({ verdict }) => verdict === 'drop',
    );
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

  /** Down at once, as when the power goes: all that lives in memory is lost, no packet is answered. */
  stop(): void {
    this.changes.apply(() => {
      this.path.isUp = false;
      this.target.losePower();
      this.connections.clear();
      this.addressList.removeDynamic();
      this.raw.reboot();
      this.filter.reboot();
      for (const volume of this.#volumes.values()) volume.losePower();
    });
  }

  boot(): void {
    this.path.isUp = true;
    this.#startedAtMs = this.clock.now();
    this.log.add('system,info', 'router rebooted');
  }

  /** Ends every timer. */
  [Symbol.dispose](): void {
    this.addressList[Symbol.dispose]();
    for (const host of this.#hosts.values()) host.powerOff();
    for (const volume of this.#volumes.values()) volume.losePower();
    this.target[Symbol.dispose]();
  }

  #settle(): void {
    const nowMs = this.clock.now();
    for (const host of this.#hosts.values()) host.settle(nowMs);
    for (const flow of this.#forwarded) flow.settle(nowMs);
  }
}
