import type { PassReport, Policy } from '@reattach/core';
import { testPolicy } from '@reattach/core/testing';
import type { PodObject } from '@reattach/kube-sim';
import { Replica } from '../controller/replica.ts';
import { EventLog } from '../run/event-log.ts';
import { StorageServer } from '../storage/storage-server.ts';
import type { RunRandom } from '../time/run-random.ts';
import { SimulationClock } from '../time/simulation-clock.ts';
import { ApiServer } from './api-server.ts';
import { Cluster, DRIVER, OTHER_DRIVER } from './cluster.ts';
import { Machine } from './machine.ts';
import type { MachinePlan, Scenario, VolumePlan } from './scenario.ts';
import { VirtualMachines } from './virtual-machines.ts';

/** A disk that takes longer for a write is slow. */
const SLOW_DISK_MS = 1_000;

export const STORAGE_ADDRESS = '10.0.0.10';

/** Everything there is in one run: cluster, storage, machines and controllers, all on one clock and one seed. */
export class World implements AsyncDisposable {
  readonly clock: SimulationClock = new SimulationClock();
  readonly scenario: Scenario;
  readonly policy: Policy;
  readonly api: ApiServer;
  readonly storage: StorageServer;
  readonly cluster: Cluster;
  readonly virtualMachines: VirtualMachines;
  readonly log: EventLog;
  readonly replicas: readonly Replica[];
  /** In the order in which they were built; those that were replaced, too. */
  readonly machines: Machine[] = [];
  readonly #mountListeners = new Set<(machine: Machine, slot: string) => void>();
  readonly #passListeners = new Set<(controller: string, report: PassReport) => void>();
  readonly #releaseListeners = new Set<(nodeName: string) => void>();
  #machinesBuilt = 0;
  #calmSinceTamperingMs = Number.POSITIVE_INFINITY;
  #calmSinceMs: number | undefined;
  #diskSlowAtMs = Number.NEGATIVE_INFINITY;

  constructor(scenario: Scenario, random: RunRandom) {
    const { clock } = this;
    this.scenario = scenario;
    this.log = new EventLog(clock);
    this.api = new ApiServer(clock, random.fork('api'), true);
    const { diskMs, backend } = scenario;
    this.storage = new StorageServer({ clock, address: STORAGE_ADDRESS, kind: backend });
    this.storage.device.writeServiceMs = diskMs;
    for (const plan of scenario.machines) this.#register(plan);
    for (const plan of scenario.volumes) this.#addVolume(plan);
    this.cluster = new Cluster(this.api, clock, scenario.detachesFromDeletedNodes);
    this.api.store.subscribe(({ kind, type, object }) => {
      if (kind !== 'Node' || type === 'MODIFIED') return;
      for (const machine of this.machines)
        if (machine.nodeName === object.metadata.name) machine.setRegistered(type === 'ADDED');
    });
    for (const plan of scenario.machines) this.addMachine(plan);
    this.virtualMachines = new VirtualMachines({
      api: this.api.api,
      clock,
      slots: scenario.volumes.filter(({ isDisk }) => isDisk).map(({ slot }) => slot),
      machineOf: (nodeName) => this.machines.find((each) => each.nodeName === nodeName && !each.isRetired),
    });
    this.policy = testPolicy({
      attacher: DRIVER,
      strategy: scenario.strategy,
      otherDrivers: scenario.strategy === 'out-of-service' ? 'hold' : 'release-ours',
      earlyDetection: { enabled: scenario.earlyDetection, leaseStaleMs: 20_000 },
    });
    this.replicas = Array.from(
      { length: scenario.replicas },
      (_, index) =>
        new Replica({
          name: `controller-${index + 1}`,
          clock,
          random: random.fork('controllers'),
          api: this.api,
          storage: this.storage,
          policy: this.policy,
          electsLeader: scenario.replicas > 1,
          logger: this.log.logger(`controller-${index + 1}`),
          onPass: (report) => {
            for (const listener of this.#passListeners) listener(`controller-${index + 1}`, report);
          },
        }),
    );
  }

  /** Lets the workload settle, then starts the controllers. */
  async warmUp(): Promise<void> {
    await this.clock.advance(20_000);
    for (const replica of this.replicas) replica.start();
    await this.clock.advance(40_000);
  }

  /** The machine that has the Node's name now. */
  machine(nodeName: string): Machine {
    const found =
      this.machines.find((each) => each.nodeName === nodeName && !each.isRetired) ??
      this.machines.findLast((each) => each.nodeName === nodeName);
    if (!found) throw new TypeError(`Expected a machine for a Node that exists, got ${nodeName}`);
    return found;
  }

  get nodeNames(): readonly string[] {
    return [...new Set(this.machines.map(({ nodeName }) => nodeName))];
  }

  /** Builds a machine and starts it; its kubelet registers the Node when there is none. */
  addMachine(plan: MachinePlan): Machine {
    this.#machinesBuilt += 1;
    const { nodeName, addresses, alsoReported, keepAliveTimeoutMs, ioQueues, hasSecondPath } = plan;
    const machine = new Machine({
      id: `m${this.#machinesBuilt}`,
      nodeName,
      addresses,
      alsoReported,
      keepAliveTimeoutMs,
      ioQueues,
      secondPath: (slot) => hasSecondPath && Number(slot.at(-1)) % 2 === 1,
      context: { store: this.api.store, clock: this.clock },
      storage: this.storage,
      isDisk: (slot) => this.scenario.volumes.some((volume) => volume.slot === slot && volume.isDisk),
      onDiskConnected: () => this.virtualMachines.wake(),
      onMounted: (mounting, slot) => {
        for (const listener of this.#mountListeners) listener(mounting, slot);
      },
    });
    this.machines.push(machine);
    return machine;
  }

  /** Calls `listener` after every pass of a controller that completed some work. */
  onPass(listener: (controller: string, report: PassReport) => void): void {
    this.#passListeners.add(listener);
  }

  /** Calls `listener` when a controller takes something away from a Node: pods, attachments, volumes in use. */
  onRelease(listener: (nodeName: string) => void): void {
    this.#releaseListeners.add(listener);
  }

  released(nodeName: string): void {
    for (const listener of this.#releaseListeners) listener(nodeName);
  }

  /** Calls `listener` when a machine mounts a volume. */
  onMounted(listener: (machine: Machine, slot: string) => void): void {
    this.#mountListeners.add(listener);
  }

  /** A controller leads, and nothing is wrong with what the controllers depend on. */
  get isCalm(): boolean {
    const { api, storage } = this;
    const faults = Object.values(api.faults).some((rate) => rate > 0);
    return (
      api.up &&
      !faults &&
      storage.up &&
      !storage.isSilent &&
      this.replicas.some(({ isLeading, isReady, isWell }) => isLeading && isReady && isWell)
    );
  }

  /** An outsider weakened the fences: what lands before a controller could repair them is not its fault. */
  tampered(): void {
    this.#calmSinceTamperingMs = 0;
  }

  /** For how long a controller has had the means to see and repair that, ms. */
  get calmSinceTamperingMs(): number {
    return this.#calmSinceTamperingMs;
  }

  /** Called at regular times. */
  sample(passedMs: number): void {
    if (this.storage.device.writeServiceMs > SLOW_DISK_MS) this.#diskSlowAtMs = this.clock.now();
    if (!this.isCalm) {
      this.#calmSinceMs = undefined;
      return;
    }
    this.#calmSinceTamperingMs += passedMs;
    this.#calmSinceMs ??= this.clock.now();
  }

  /** When the disk was last slow, epoch ms: writes accepted then may have landed much later. */
  get diskSlowAtMs(): number {
    return this.#diskSlowAtMs;
  }

  /** Something that was about the whole world happened: the calm period starts again. */
  disturbed(): void {
    this.#calmSinceMs = undefined;
  }

  /** Since when nothing is wrong with what the controllers depend on, epoch ms. */
  get calmSinceMs(): number | undefined {
    return this.#calmSinceMs;
  }

  /** The pod that uses the volume. */
  podOf(slot: string): PodObject | undefined {
    const isDisk = this.scenario.volumes.some((volume) => volume.slot === slot && volume.isDisk);
    return isDisk ? this.virtualMachines.activePod(slot) : this.api.store.get('Pod', `${slot}-0`);
  }

  /** Volumes of ours that are attached to the node. */
  slotsAt(nodeName: string): readonly string[] {
    return this.api.store
      .list('VolumeAttachment')
      .filter(({ spec }) => spec?.nodeName === nodeName && spec.attacher === DRIVER)
      .flatMap(({ spec }) => spec?.source.persistentVolumeName ?? []);
  }

  /** The pod of the volume runs on a machine that can write to it. */
  isServed(slot: string): boolean {
    const { metadata, spec, status } = this.podOf(slot) ?? {};
    if (status?.phase !== 'Running' || metadata?.deletionTimestamp !== undefined) return false;
    const machine = this.machines.find(
      ({ nodeName, isRetired }) => nodeName === spec?.nodeName && !isRetired,
    );
    return machine?.workload.isMounted(slot) === true && machine.host.connected(slot) && machine.isWell;
  }

  get isSettled(): boolean {
    return this.scenario.volumes.every(({ slot }) => this.isServed(slot));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const replica of this.replicas) replica.kill();
    for (const machine of this.machines) machine[Symbol.dispose]();
    this.cluster[Symbol.dispose]();
    this.virtualMachines[Symbol.dispose]();
    this.storage[Symbol.dispose]();
  }

  /** The Node as cluster bootstrap makes it; its kubelet reports the rest. */
  #register({ nodeName, addresses }: MachinePlan): void {
    const [internalIP] = addresses;
    this.api.api.addNode({ name: nodeName, ...(internalIP !== undefined && { internalIP }) });
  }

  /** A volume and, unless a virtual machine has it, a StatefulSet of one pod that uses it: so no pod waits for another. */
  #addVolume({ slot, hasSibling, isDisk }: VolumePlan): void {
    const nqn = `nqn.2026-01.example.test:${slot}`;
    const { api } = this.api;
    this.storage.device.addVolume({ slot, nqn, sizeBytes: 2 ** 30 });
    api.addVolume({
      name: slot,
      claim: `data-${slot}-0`,
      handle: slot,
      driver: DRIVER,
      ...(isDisk && { accessModes: ['ReadWriteMany'] }),
      attributes: { nqn, nvmeAddress: STORAGE_ADDRESS, nvmePort: '4420' },
    });
    if (hasSibling) {
      api.addVolume({
        name: `other-${slot}`,
        claim: `other-${slot}-0`,
        handle: `other-${slot}`,
        driver: OTHER_DRIVER,
      });
    }
    if (!isDisk) api.addStatefulSet({ name: slot, claims: hasSibling ? ['data', 'other'] : ['data'] });
  }
}
