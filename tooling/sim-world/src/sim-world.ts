import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Clock, systemClock } from '@reattach/core';
import { type FakeControllers, type Kubelet, KubeSim, startFakeControllers } from '@reattach/kube-sim';
import { LinuxTarget } from '@reattach/linux-target-sim';
import { type Device, RdsSim, type RdsSimOptions, type SimHost } from '@reattach/rds-sim';
import { COMPRESSED_TIMES } from './compressed-times.ts';
import { SimWorkload } from './sim-workload.ts';

/** Products that a world can have as its storage backend: kinds of the controller's configuration. */
export type BackendKind = 'rds' | 'linux-nvmet';

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
}

/** One machine: its kubelet, its place in the storage network and what runs on it. */
export interface SimNode {
  readonly name: string;
  readonly address: string;
  readonly kubelet: Kubelet;
  readonly host: SimHost;
  readonly workload: SimWorkload;
}

/** Paths of what a controller needs to reach both sides. */
export interface WorldFiles extends AsyncDisposable {
  readonly kubeconfig: string;
  readonly privateKey: string;
  readonly hostKey: string;
}

/** Where PersistentVolumes say the backend is; SSH listens elsewhere. */
const BACKEND_ADDRESS = '10.0.0.10';
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
  readonly #nodes: ReadonlyMap<string, SimNode>;

  private constructor(
    kube: KubeSim,
    rds: RdsSim,
    fakeControllers: FakeControllers,
    driver: string,
    nodes: ReadonlyMap<string, SimNode>,
    linux: LinuxTarget | undefined,
  ) {
    this.linux = linux;
    this.backend = linux ? 'linux-nvmet' : 'rds';
    this.kube = kube;
    this.rds = rds;
    this.fakeControllers = fakeControllers;
    this.driver = driver;
    this.#nodes = nodes;
  }

  static async start(options: SimWorldOptions = {}): Promise<SimWorld> {
    const {
      clock = systemClock,
      driver = 'rds.csi.srvlab.io',
      times = COMPRESSED_TIMES,
      volumes = 6,
    } = options;
    const names = options.nodes ?? ['node-a', 'node-b', 'node-c'];
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
    const parts = new Map(
      names.map((name, index) => {
        const address = `10.0.0.${index + 11}`;
        const host = rds.device.addHost({
          name,
          addresses: [address],
          keepAliveTimeoutMs: times.keepAliveTimeoutMs,
          reconnectDelayMs: times.reconnectDelayMs,
          connectTimeoutMs: times.connectTimeoutMs,
        });
        kube.addNode({ name, internalIP: address });
        return [
          name,
          { address, host, workload: new SimWorkload(host, clock, times.writeIntervalMs) },
        ] as const;
      }),
    );
    const attributesOf = linux ? linuxAttributes : rdsAttributes;
    for (let index = 0; index < volumes; index++) addVolume(kube, rds, driver, index, attributesOf);
    const fakeControllers = startFakeControllers(kube, {
      drivers: [driver],
      times: times.cluster,
      hooks: (nodeName) => ({
        onMount: (_volume, handle) => parts.get(nodeName)?.workload.mount(handle),
        onUnmount: (_volume, handle) => parts.get(nodeName)?.workload.unmount(handle),
      }),
    });
    const nodes = new Map(
      [...parts].map(
        ([name, part]) => [name, { name, ...part, kubelet: fakeControllers.kubelet(name) }] as const,
      ),
    );
    if (volumes > 0) kube.addStatefulSet({ name: SET_NAME, replicas: volumes });
    return new SimWorld(kube, rds, fakeControllers, driver, nodes, linux);
  }

  get nodes(): readonly SimNode[] {
    return [...this.#nodes.values()];
  }

  /** @throws {TypeError} when there is no such node. */
  node(name: string): SimNode {
    const node = this.#nodes.get(name);
    if (!node)
      throw new TypeError(`Expected a node among ${[...this.#nodes.keys()].join(', ')}, got ${name}`);
    return node;
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
    for (const { workload } of this.nodes) workload[Symbol.dispose]();
    this.fakeControllers[Symbol.dispose]();
    await this.rds[Symbol.asyncDispose]();
    await this.kube[Symbol.asyncDispose]();
  }
}

type Attributes = (nqn: string) => Readonly<Record<string, string>>;

/** As rds-csi names a volume. */
function rdsAttributes(nqn: string): Readonly<Record<string, string>> {
  return { nqn, nvmeAddress: BACKEND_ADDRESS, nvmePort: '4420' };
}

/** As democratic-csi names a volume. */
function linuxAttributes(nqn: string): Readonly<Record<string, string>> {
  return { node_attach_driver: 'nvmeof', transports: `tcp://${BACKEND_ADDRESS}:4420`, nqn, nsid: '1' };
}

function addVolume(
  kube: KubeSim,
  rds: RdsSim,
  driver: string,
  index: number,
  attributesOf: Attributes,
): void {
  const handle = `pvc-${String(index).padStart(8, '0')}`;
  const nqn = `nqn.2026-01.example.test:${handle}`;
  rds.device.addVolume({ slot: handle, nqn, sizeBytes: 2 ** 30 });
  kube.addVolume({
    name: handle,
    claim: `data-${SET_NAME}-${index}`,
    handle,
    driver,
    attributes: attributesOf(nqn),
  });
}
