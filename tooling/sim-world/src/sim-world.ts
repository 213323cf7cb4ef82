import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Clock, systemClock } from '@reattach/core';
import {
  type FakeControllers,
  type Kubelet,
  KubeSim,
  type MachineStatus,
  startFakeControllers,
} from '@reattach/kube-sim';
import { LinuxTarget } from '@reattach/linux-target-sim';
import {
  type Device,
  RdsSim,
  type RdsSimOptions,
  type SimHost,
  type SimHostOptions,
} from '@reattach/rds-sim';
import { COMPRESSED_TIMES } from './compressed-times.ts';
import { addSimVolume, BACKEND_ADDRESS, type BackendKind, type SimVolumeOptions } from './sim-volumes.ts';
import { SimWorkload } from './sim-workload.ts';

export interface SimWorldOptions {
  readonly clock?: Clock;
  /** Default `node-a`, `node-b`, `node-c`. */
  readonly nodes?: readonly string[];
  /** Replicas of the StatefulSet `db`, each with a volume of its own. Default 6. */
  readonly volumes?: number;
  /** Default `rds.csi.srvlab.io`. */
  readonly driver?: string;
  /** Default: compressed. */
  readonly times?: typeof COMPRESSED_TIMES;
  readonly rds?: Omit<RdsSimOptions, 'clock'>;
  /** The product of the storage backend; default `rds`. Both have the same data plane. */
  readonly backend?: BackendKind;
  readonly kubevirt?: boolean;
  /** What single machines differ in, by name of the node. */
  readonly machines?: Readonly<Record<string, MachineTraits>>;
}

/** What one machine differs in from the others. */
export interface MachineTraits extends Partial<Omit<SimHostOptions, 'name' | 'addresses'>> {
  /** A second address in the storage network, which its Node does not report. Every second volume is reached from it. */
  readonly secondAddress?: string;
}

/** A machine that joins a running cluster. */
export interface NewMachine {
  /** The Node it registers as. */
  readonly nodeName: string;
  readonly address: string;
  /** Unique among all machines; default: `nodeName`. */
  readonly machineName?: string;
}

/** One machine: its kubelet, its place in the storage network and what runs on it. */
export interface SimNode {
  readonly name: string;
  readonly address: string;
  readonly kubelet: Kubelet;
  readonly host: SimHost;
  readonly workload: SimWorkload;
}

type Machine = Pick<SimNode, 'address' | 'host' | 'workload'>;

/** Paths of what a controller needs to reach both sides. */
export interface WorldFiles extends AsyncDisposable {
  readonly kubeconfig: string;
  readonly privateKey: string;
  readonly hostKey: string;
}

const SET_NAME = 'db';

/**
 * A cluster and its storage backend on loopback. A StatefulSet runs on the nodes; what a kubelet mounts, the node's host connects
 * to and writes to without pause, so that the backend's oracle sees any second writer.
 */
export class SimWorld implements AsyncDisposable {
  readonly kube: KubeSim;
  readonly rds: RdsSim;
  readonly fakeControllers: FakeControllers;
  readonly driver: string;
  readonly backendAddress: string = BACKEND_ADDRESS;
  readonly backend: BackendKind;
  /** The forced command of a Linux target; absent where the backend is an RDS. */
  readonly linux: LinuxTarget | undefined;
  readonly #clock: Clock;
  readonly #times: typeof COMPRESSED_TIMES;
  /** By name of the node. */
  readonly #machines = new Map<string, Machine>();
  /** Machines whose name another one has taken. They may run on. */
  readonly #replaced: Machine[] = [];

  private constructor(kube: KubeSim, rds: RdsSim, linux: LinuxTarget | undefined, options: SimWorldOptions) {
    const { clock = systemClock, driver = 'rds.csi.srvlab.io', times = COMPRESSED_TIMES } = options;
    this.linux = linux;
    this.backend = linux ? 'linux-nvmet' : 'rds';
    this.kube = kube;
    this.rds = rds;
    this.driver = driver;
    this.#clock = clock;
    this.#times = times;
    const names = options.nodes ?? ['node-a', 'node-b', 'node-c'];
    for (const [index, nodeName] of names.entries()) {
      const address = `10.0.0.${index + 11}`;
      this.#addNode({ nodeName, address }, options.machines?.[nodeName]);
    }
    const { volumes = 6 } = options;
    for (let index = 0; index < volumes; index++) {
      const name = `pvc-${String(index).padStart(8, '0')}`;
      this.addVolume({ name, claim: `data-${SET_NAME}-${index}` });
    }
    this.fakeControllers = startFakeControllers(kube, {
      drivers: [driver],
      times: times.cluster,
      machine: (nodeName) => {
        const machine = this.#machines.get(nodeName);
        return machine && machineStatus(nodeName, machine);
      },
      hooks: (nodeName) => ({
        onMount: (_volume, handle) => this.#machine(nodeName).workload.mount(handle),
        onUnmount: (_volume, handle) => this.#machine(nodeName).workload.unmount(handle),
      }),
    });
    if (volumes > 0) kube.addStatefulSet({ name: SET_NAME, replicas: volumes });
  }

  static async start(options: SimWorldOptions = {}): Promise<SimWorld> {
    const { clock = systemClock } = options;
    const kube = await KubeSim.start({ clock, ...(options.kubevirt && { kubevirt: true }) });
    let linux: LinuxTarget | undefined;
    const rds = await RdsSim.start({
      clock,
      address: BACKEND_ADDRESS,
      tracking: { enabled: 'yes' },
      ...options.rds,
      ...(options.backend === 'linux-nvmet' && {
        answer: (device: Device) => {
          const target = new LinuxTarget(device);
          linux = target;
          return (request: string) => target.answer(request);
        },
      }),
    });
    if (!linux) rds.device.addDropRule();
    return new SimWorld(kube, rds, linux, options);
  }

  get nodes(): readonly SimNode[] {
    return [...this.#machines.keys()].map((name) => this.node(name));
  }

  /** @throws {TypeError} when there is no such node. */
  node(name: string): SimNode {
    return { name, ...this.#machine(name), kubelet: this.fakeControllers.kubelet(name) };
  }

  /** Adds a volume and its claim, which no pod uses yet. */
  addVolume(options: SimVolumeOptions): void {
    addSimVolume(this, options);
  }

  /** A machine joins the cluster as a Node that does not exist yet. */
  addMachine(machine: NewMachine): void {
    this.#addNode(machine);
  }

  /**
   * A new machine joins under the name of a Node that was deleted. The old machine runs on, without a kubelet.
   * @returns the old machine
   */
  replaceMachine(machine: NewMachine): Pick<SimNode, 'address' | 'host' | 'workload'> {
    const { nodeName } = machine;
    const old = this.#machine(nodeName);
    const { kubelet } = this.node(nodeName);
    kubelet.stop();
    this.#replaced.push(old);
    this.#machines.set(nodeName, this.#newMachine(machine));
    kubelet.start({ rebooted: true });
    return old;
  }

  /** The power goes: kubelet, workload and network at once. */
  powerOff(name: string): void {
    const { kubelet, host, workload } = this.node(name);
    kubelet.stop();
    host.powerOff();
    workload.forget();
  }

  /** The power is back: another boot, nothing mounted. */
  powerOn(name: string): void {
    const { kubelet, host } = this.node(name);
    host.boot();
    kubelet.start({ rebooted: true });
  }

  /** Names of the pods that run on a node. */
  podsOn(name: string): readonly string[] {
    return this.kube.store
      .list('Pod')
      .filter((pod) => pod.spec?.nodeName === name && pod.status?.phase === 'Running')
      .map((pod) => pod.metadata.name);
  }

  /** Names of the PersistentVolumes attached to a node. */
  attachedTo(name: string): readonly string[] {
    return this.kube.store
      .list('VolumeAttachment')
      .filter((attachment) => attachment.spec?.nodeName === name)
      .map((attachment) => attachment.spec?.source?.persistentVolumeName ?? attachment.metadata.name);
  }

  /** Every replica runs and every volume is attached exactly once. */
  get isSettled(): boolean {
    const running = this.kube.store.list('Pod').filter((pod) => pod.status?.phase === 'Running').length;
    const attached = this.kube.store.list('VolumeAttachment').filter((each) => each.status?.attached).length;
    const volumes = this.rds.device.volumes.length;
    return running === volumes && attached === volumes;
  }

  /** Writes kubeconfig and keys into a new folder, which disposal removes. */
  async writeFiles(): Promise<WorldFiles> {
    const folder = await mkdtemp(join(tmpdir(), 'reattach-'));
    const [kubeconfig, privateKey, hostKey] = ['kubeconfig', 'id_ed25519', 'host-key'].map((name) =>
      join(folder, name),
    ) as [string, string, string];
    await this.kube.writeKubeconfig(kubeconfig);
    await writeFile(privateKey, this.rds.credentials.privateKey, { mode: 0o600 });
    await writeFile(hostKey, this.rds.hostKey);
    return {
      kubeconfig,
      privateKey,
      hostKey,
      [Symbol.asyncDispose]: () => rm(folder, { recursive: true, force: true }),
    };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const { workload } of [...this.#machines.values(), ...this.#replaced]) workload[Symbol.dispose]();
    this.fakeControllers[Symbol.dispose]();
    await this.rds[Symbol.asyncDispose]();
    await this.kube[Symbol.asyncDispose]();
  }

  #addNode(options: NewMachine, traits: MachineTraits = {}): void {
    const machine = this.#newMachine(options, traits);
    const { nodeName, address } = options;
    this.#machines.set(nodeName, machine);
    const { nodeInfo } = machineStatus(nodeName, machine);
    this.kube.addNode({
      name: nodeName,
      internalIP: address,
      bootId: nodeInfo['bootID'],
      systemUuid: nodeInfo['systemUUID'],
    });
  }

  #newMachine(
    { nodeName, address, machineName = nodeName }: NewMachine,
    traits: MachineTraits = {},
  ): Machine {
    const { secondAddress, ...hostOptions } = traits;
    const { keepAliveTimeoutMs, reconnectDelayMs, connectTimeoutMs, writeIntervalMs } = this.#times;
    const host = this.rds.device.addHost({
      keepAliveTimeoutMs,
      reconnectDelayMs,
      connectTimeoutMs,
      ...hostOptions,
      name: machineName,
      addresses: [address, ...(secondAddress === undefined ? [] : [secondAddress])],
    });
    const workload = new SimWorkload(host, {
      clock: this.#clock,
      writeIntervalMs,
      pathOf: () => (host.slots.length % 2 === 1 ? secondAddress : undefined),
    });
    return { address, host, workload };
  }

  #machine(nodeName: string): Machine {
    const machine = this.#machines.get(nodeName);
    if (!machine)
      throw new TypeError(`Expected a node among ${[...this.#machines.keys()].join(', ')}, got ${nodeName}`);
    return machine;
  }
}

/** As a kubelet reads it from its machine. */
function machineStatus(nodeName: string, { address, host }: Machine): MachineStatus {
  const machineId = `machine-${host.name}`;
  return {
    addresses: [
      { type: 'InternalIP', address },
      { type: 'Hostname', address: nodeName },
    ],
    nodeInfo: { bootID: host.bootId, systemUUID: machineId, machineID: machineId },
  };
}
