import { apiPaths, pathOf } from '@reattach/k8s-api';
import { type PodObject, uniqueVolumeName } from '@reattach/kube-sim';
import type { ClusterMirror } from './cluster-mirror.ts';
import { FakeLoop } from './fake-loop.ts';
import { inDefault, type KubeClient } from './kube-client.ts';

const HEARTBEAT_MS = 1_000;

/** A volume of a pod: its handle and its name in the Node's lists. */
interface PodVolume {
  readonly persistentVolume: string;
  readonly handle: string;
  readonly uniqueName: string;
}

export interface FakeKubeletOptions {
  readonly kube: KubeClient;
  readonly mirror: ClusterMirror;
  readonly nodeName: string;
  readonly address: string;
  /** Of the API server: `v1.36.2`. */
  readonly version: string;
  readonly labels: Readonly<Record<string, string>>;
  /** What mounting means for the machine. */
  readonly workload: { mount(handle: string): void; unmount(handle: string): boolean };
}

/**
 * Fakes a kubelet over the real API: registers, renews its Lease, says Ready, reports volumesInUse, mounts what is
 * attached, sets pods Running, ends Terminating ones. Stopped, it writes nothing, and what is mounted stays mounted.
 */
export class FakeKubelet implements AsyncDisposable {
  readonly #options: FakeKubeletOptions;
  readonly #mounted = new Map<string, PodVolume>();
  #running: AsyncDisposableStack | undefined;
  #bootId = crypto.randomUUID();
  #readySince = now();
  #statusAtMs = 0;
  #lastInUse = '';

  constructor(options: FakeKubeletOptions) {
    this.#options = options;
  }

  async start(): Promise<void> {
    if (this.#running) return;
    await this.#register();
    const loop = new FakeLoop(this.#options.mirror, HEARTBEAT_MS / 2, () => this.#pass());
    this.#running = new AsyncDisposableStack();
    this.#running.use(loop);
  }

  /** It dies. Settles when its last request has been answered. */
  async stop(): Promise<void> {
    const running = this.#running;
    this.#running = undefined;
    await running?.disposeAsync();
  }

  /** The machine boots: another bootID, nothing mounted. */
  rebooted(): void {
    this.#bootId = crypto.randomUUID();
    this.#mounted.clear();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }

  async #register(): Promise<void> {
    const { kube, nodeName, labels } = this.#options;
    const annotations = { 'volumes.kubernetes.io/controller-managed-attach-detach': 'true' };
    await kube.create(apiPaths.nodes, {
      apiVersion: 'v1',
      kind: 'Node',
      metadata: { name: nodeName, labels, annotations },
    });
    await kube.create(apiPaths.nodeLeases, {
      apiVersion: 'coordination.k8s.io/v1',
      kind: 'Lease',
      metadata: { name: nodeName },
      spec: { holderIdentity: nodeName, leaseDurationSeconds: 40, renewTime: micro() },
    });
  }

  async #pass(): Promise<void> {
    const needed = new Map(
      this.#pods()
        .flatMap((pod) => this.#volumesOf(pod))
        .map((each) => [each.uniqueName, each]),
    );
    for (const [name, volume] of this.#mounted) {
      if (needed.has(name)) continue;
      if (this.#options.workload.unmount(volume.handle)) this.#mounted.delete(name); // else the umount hangs
    }
    await this.#postStatus([...new Set([...needed.keys(), ...this.#mounted.keys()])].toSorted());
    for (const volume of needed.values()) this.#mountWhenAttached(volume);
    for (const pod of this.#pods()) await this.#syncPod(pod);
  }

  #pods(): readonly PodObject[] {
    const { mirror, nodeName } = this.#options;
    return mirror.list('Pod').filter(({ spec }) => spec?.nodeName === nodeName);
  }

  #volumesOf(pod: PodObject): readonly PodVolume[] {
    const { mirror } = this.#options;
    if (pod.metadata.deletionTimestamp !== undefined) return [];
    return (pod.spec?.volumes ?? []).flatMap(({ persistentVolumeClaim: claim }) => {
      const name = claim && mirror.get('PersistentVolumeClaim', claim.claimName)?.spec?.volumeName;
      const csi = name === undefined ? undefined : mirror.get('PersistentVolume', name)?.spec?.csi;
      if (name === undefined || !csi) return [];
      const { driver, volumeHandle: handle } = csi;
      return [{ persistentVolume: name, handle, uniqueName: uniqueVolumeName(driver, handle) }];
    });
  }

  /** On a change at once, else as a heartbeat. Conditions of others are left to them, as the list is merged by type. */
  async #postStatus(inUse: readonly string[]): Promise<void> {
    const { kube, mirror, nodeName, address } = this.#options;
    if (inUse.join() === this.#lastInUse && Date.now() - this.#statusAtMs < HEARTBEAT_MS) return;
    const isReady = mirror
      .get('Node', nodeName)
      ?.status?.conditions?.some(({ type, status }) => type === 'Ready' && status === 'True');
    if (isReady !== true) this.#readySince = now();
    const ready = {
      type: 'Ready',
      status: 'True',
      reason: 'KubeletReady',
      message: 'fake kubelet is posting ready status',
      lastHeartbeatTime: now(),
      lastTransitionTime: this.#readySince,
    };
    this.#statusAtMs = Date.now();
    await kube.patch(apiPaths.nodeStatus(nodeName), {
      status: {
        addresses: [{ type: 'InternalIP', address }],
        conditions: [ready],
        nodeInfo: nodeInfo(this.#bootId, `machine-${nodeName}`, this.#options.version),
        volumesInUse: inUse,
      },
    });
    this.#lastInUse = inUse.join();
    const spec = { holderIdentity: nodeName, leaseDurationSeconds: 40, renewTime: micro() };
    await kube.patch(apiPaths.nodeLease(nodeName), { spec });
  }

  #mountWhenAttached(volume: PodVolume): void {
    const { mirror, nodeName, workload } = this.#options;
    if (this.#mounted.has(volume.uniqueName)) return;
    const listed = mirror.get('Node', nodeName)?.status?.volumesAttached ?? [];
    const attached = mirror
      .list('VolumeAttachment')
      .some(
        ({ spec, status }) =>
          spec?.nodeName === nodeName &&
          spec.source.persistentVolumeName === volume.persistentVolume &&
          status?.attached === true,
      );
    if (!attached || !listed.some(({ name }) => name === volume.uniqueName)) return;
    this.#mounted.set(volume.uniqueName, volume);
    workload.mount(volume.handle);
  }

  async #syncPod(pod: PodObject): Promise<void> {
    const { kube, address } = this.#options;
    const { name, uid, deletionTimestamp } = pod.metadata;
    if (deletionTimestamp !== undefined) {
      await kube.remove(inDefault('pods', name), { gracePeriodSeconds: 0, preconditions: { uid } });
      return;
    }
    const volumes = this.#volumesOf(pod);
    const mounted = volumes.length > 0 && volumes.every(({ uniqueName }) => this.#mounted.has(uniqueName));
    if (!mounted || pod.status?.phase === 'Running') return;
    await kube.patch(inDefault('pods', name, 'status'), {
      metadata: { uid },
      status: {
        phase: 'Running',
        startTime: now(),
        hostIP: address,
        conditions: [{ type: 'Ready', status: 'True', lastTransitionTime: now() }],
        // Without them attach-detach takes a Terminating pod for terminated.
        containerStatuses: (pod.spec?.containers ?? []).map(runningContainer),
      },
    });
  }
}

/** `CSINode` of a node that has the driver. */
export async function registerDriver(kube: KubeClient, nodeName: string, driver: string): Promise<void> {
  await kube.create(pathOf('apis', 'storage.k8s.io', 'v1', 'csinodes'), {
    apiVersion: 'storage.k8s.io/v1',
    kind: 'CSINode',
    metadata: { name: nodeName },
    spec: { drivers: [{ name: driver, nodeID: nodeName, topologyKeys: [] }] },
  });
}

function nodeInfo(bootID: string, systemUUID: string, kubeletVersion: string): object {
  return {
    bootID,
    machineID: systemUUID,
    systemUUID,
    kernelVersion: '6.1.0',
    osImage: 'test',
    containerRuntimeVersion: 'test://1',
    kubeletVersion,
    kubeProxyVersion: kubeletVersion,
    operatingSystem: 'linux',
    architecture: 'amd64',
  };
}

function now(): string {
  return new Date().toISOString().replace(/\.\d{3}Z$/, 'Z');
}

function micro(): string {
  return new Date().toISOString().replace('Z', '000Z');
}

function runningContainer({ name, image }: { readonly name: string; readonly image: string }): object {
  const state = { running: { startedAt: now() } };
  return { name, image, imageID: image, ready: true, started: true, restartCount: 0, state };
}
