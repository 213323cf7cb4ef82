import type { Clock } from '@reattach/core';
import type { NodeObject, PodObject } from '../kube-object.ts';
import { leaseManifest, NODE_LEASE_NAMESPACE, nodeManifest, RUNNING_CONTAINER } from '../manifests.ts';
import type { ObjectStore } from '../object-store.ts';
import { microTimestamp, timestamp } from '../timestamp.ts';
import { ControlLoop, earliest, type FakeControllerContext } from './control-loop.ts';
import { isReady, withReady } from './node-state.ts';
import { type CsiVolume, hasStopped, isFinished, isTerminating, volumesOf } from './pod-state.ts';

/** Time between two attempts to unmount a volume, ms. */
const UNMOUNT_RETRY_MS = 1_000;

/** Connects a data plane: called once when the first pod of the node needs a volume and once when none does any more. */
export interface KubeletHooks {
  readonly onMount?: (persistentVolume: string, volumeHandle: string) => void;
  /**
   * `false`: dirty pages cannot be flushed, so the volume stays mounted and is tried again. After a reboot the answer does not
   * count.
   */
  readonly onUnmount?: (persistentVolume: string, volumeHandle: string) => unknown;
}

export interface KubeletOptions {
  readonly nodeName: string;
  /** Time between renewals of its Lease, ms. Default 10 000. */
  readonly leaseIntervalMs?: number;
  /** Time between checks of its Node status, ms: what others changed there is put right then. Default 10 000. */
  readonly statusIntervalMs?: number;
  readonly hooks?: KubeletHooks | undefined;
  /** What it reads from its machine whenever it registers or posts its status. Default: what the Node says already. */
  readonly machine?: (() => MachineStatus | undefined) | undefined;
}

/** Who a machine is, as in a Node's status. */
export interface MachineStatus {
  /** `status.addresses`. */
  readonly addresses: readonly { readonly type: string; readonly address: string }[];
  /** Fields of `status.nodeInfo`, such as `bootID`, `machineID` and `systemUUID`. */
  readonly nodeInfo: Readonly<Record<string, string>>;
}

/**
 * Fakes the kubelet of one node. While it runs it renews its Lease, says Ready, reports volumesInUse, mounts what is
 * attached and sets its pods Running, ends Terminating pods when their grace is over and kills pods whose object is gone.
 * A volume is in use from the moment a pod of the node wants it until it is unmounted. Once stopped it writes nothing.
 * @see kubernetes `pkg/kubelet/kubelet_node_status.go`, `pkg/kubelet/volumemanager/`
 */
export class Kubelet implements Disposable {
  readonly nodeName: string;
  readonly #store: ObjectStore;
  readonly #clock: Clock;
  readonly #leaseIntervalMs: number;
  readonly #statusIntervalMs: number;
  readonly #hooks: KubeletHooks;
  readonly #machine: (() => MachineStatus | undefined) | undefined;
  /** Loops of a running kubelet. */
  #running: DisposableStack | undefined;
  /** Mounted volumes by unique name: the state of the machine, which outlives the kubelet but not a reboot. */
  readonly #mounted = new Map<string, CsiVolume>();
  /** What it wants volumesInUse to say. */
  #inUse: readonly string[] | undefined;
  /** The last Node it saw, from which it registers again. */
  #lastNode: NodeObject | undefined;
  #bootId: string | undefined;
  #boots = 1;

  /** Not running yet. */
  constructor({ store, clock }: FakeControllerContext, options: KubeletOptions) {
    const { nodeName, leaseIntervalMs = 10_000, statusIntervalMs = 10_000, hooks = {} } = options;
    this.nodeName = nodeName;
    this.#store = store;
    this.#clock = clock;
    this.#leaseIntervalMs = leaseIntervalMs;
    this.#statusIntervalMs = statusIntervalMs;
    this.#hooks = hooks;
    this.#machine = options.machine;
    this.#lastNode = store.get('Node', nodeName);
  }

  get isRunning(): boolean {
    return this.#running !== undefined;
  }

  /** Names of the PersistentVolumes that are mounted on the machine, whether the kubelet runs or not. */
  get mounted(): readonly string[] {
    return [...this.#mounted.values()].map(({ persistentVolume }) => persistentVolume);
  }

  /**
   * Starts it, or does nothing when it runs. Registers the Node when there is none, with another uid as a real kubelet does.
   * @param options.rebooted the machine was restarted meanwhile: another bootID, nothing mounted (`onUnmount` says so first).
   */
  start(options: { readonly rebooted?: boolean } = {}): void {
    if (this.#running) return;
    if (options.rebooted) this.#reboot();
    this.#inUse = undefined;
    this.#register();
    const context = { store: this.#store, clock: this.#clock };
    const running = new DisposableStack();
    this.#running = running;
    const every = (intervalMs: number, work: () => void) => {
      const pass = () => {
        work();
        return this.#clock.now() + intervalMs;
      };
      running.use(new ControlLoop({ ...context, kinds: [], pass }));
    };
    every(this.#leaseIntervalMs, () => this.#renewLease());
    running.use(
      new ControlLoop({
        ...context,
        kinds: ['Pod', 'Node', 'VolumeAttachment', 'PersistentVolume', 'PersistentVolumeClaim'],
        pass: () => this.#syncPods(),
      }),
    );
    every(this.#statusIntervalMs, () => this.#postStatus());
  }

  /** It dies: nothing is written from now on, what is mounted stays mounted. Idempotent. */
  stop(): void {
    this.#running?.dispose();
    this.#running = undefined;
  }

  [Symbol.dispose](): void {
    this.stop();
  }

  #reboot(): void {
    this.#boots += 1;
    this.#bootId = `boot-${this.nodeName}-${this.#boots}`;
    for (const volume of this.#mounted.values())
      this.#hooks.onUnmount?.(volume.persistentVolume, volume.handle);
    this.#mounted.clear();
  }

  #register(): void {
    if (this.#store.get('Node', this.nodeName)) return;
    const fresh = nodeManifest({ name: this.nodeName }, this.#clock.now());
    const { metadata, status } = this.#lastNode ?? {};
    this.#store.create({
      ...fresh,
      metadata: { ...fresh.metadata, ...(metadata?.labels && { labels: metadata.labels }) },
      status: {
        ...(fresh['status'] as object),
        ...(status && { addresses: status.addresses, nodeInfo: status.nodeInfo }),
        ...this.#machine?.(),
      },
    });
  }

  #renewLease(): void {
    const nowMs = this.#clock.now();
    if (!this.#store.get('Lease', this.nodeName, NODE_LEASE_NAMESPACE)) {
      this.#store.create(leaseManifest(this.nodeName, nowMs));
      return;
    }
    const spec = { holderIdentity: this.nodeName, renewTime: microTimestamp(nowMs) };
    this.#store.patch('Lease', this.nodeName, { spec }, NODE_LEASE_NAMESPACE);
  }

  /** Says Ready, its bootID and volumesInUse; writes nothing when the Node says so already or is gone. */
  #postStatus(): void {
    const node = this.#store.get('Node', this.nodeName);
    if (!node) return;
    this.#lastNode = node;
    const now = timestamp(this.#clock.now());
    this.#store.patch('Node', this.nodeName, {
      status: {
        ...(!isReady(node) && {
          conditions: withReady(node, {
            type: 'Ready',
            status: 'True',
            reason: 'KubeletReady',
            message: 'kubelet is posting ready status',
            lastHeartbeatTime: now,
            lastTransitionTime: now,
          }),
        }),
        ...(this.#bootId && { nodeInfo: { bootID: this.#bootId } }),
        ...this.#machine?.(),
        ...(this.#inUse && { volumesInUse: this.#inUse }),
      },
    });
  }

  #syncPods(): number | undefined {
    const nowMs = this.#clock.now();
    const deadlines: number[] = [];
    const ending: PodObject[] = [];
    const staying: PodObject[] = [];
    for (const pod of this.#store.list('Pod')) {
      if (pod.spec?.nodeName !== this.nodeName || isFinished(pod)) continue;
      const { deletionTimestamp } = pod.metadata;
      const endMs = deletionTimestamp === undefined ? undefined : Date.parse(deletionTimestamp);
      if (endMs !== undefined && endMs > nowMs) deadlines.push(endMs);
      if (endMs === undefined || endMs > nowMs) staying.push(pod);
      else ending.push(pod);
    }
    const volumes = staying.flatMap((pod) => volumesOf(this.#store, pod).volumes);
    const needed = new Map(volumes.map((volume) => [volume.uniqueName, volume]));
    for (const [name, volume] of this.#mounted) if (!needed.has(name)) this.#unmount(volume);
    const isBusy = [...this.#mounted.keys()].some((name) => !needed.has(name));
    if (isBusy) deadlines.push(nowMs + UNMOUNT_RETRY_MS);
    this.#report([...new Set([...needed.keys(), ...this.#mounted.keys()])].toSorted());
    for (const volume of needed.values()) this.#mountWhenAttached(volume);
    for (const pod of staying) this.#runWhenMounted(pod);
    for (const pod of ending) this.#endPod(pod);
    return earliest(deadlines);
  }

  /** Posts volumesInUse when they change; what others wrote there stays until the next check of the status. */
  #report(inUse: readonly string[]): void {
    if (this.#inUse?.join() === inUse.join()) return;
    this.#inUse = inUse;
    this.#postStatus();
  }

  #mountWhenAttached(volume: CsiVolume): void {
    if (this.#mounted.has(volume.uniqueName)) return;
    const isListed = this.#store
      .get('Node', this.nodeName)
      ?.status?.volumesAttached?.some(({ name }) => name === volume.uniqueName);
    if (!isListed || !this.#hasAttachment(volume)) return;
    this.#mounted.set(volume.uniqueName, volume);
    this.#hooks.onMount?.(volume.persistentVolume, volume.handle);
  }

  #hasAttachment({ driver, persistentVolume }: CsiVolume): boolean {
    return this.#store
      .list('VolumeAttachment')
      .some(
        ({ spec, status }) =>
          status?.attached &&
          spec?.attacher === driver &&
          spec.nodeName === this.nodeName &&
          spec.source.persistentVolumeName === persistentVolume,
      );
  }

  #runWhenMounted(pod: PodObject): void {
    if (pod.status?.phase === 'Running' || isTerminating(pod)) return;
    const { volumes, allBound } = volumesOf(this.#store, pod);
    if (!allBound || !volumes.every(({ uniqueName }) => this.#mounted.has(uniqueName))) return;
    const { name, namespace } = pod.metadata;
    const hostIP = this.#lastNode?.status?.addresses?.find(({ type }) => type === 'InternalIP')?.address;
    const now = timestamp(this.#clock.now());
    const conditions = [{ type: 'Ready', status: 'True', lastTransitionTime: now }];
    const containerStatuses = [RUNNING_CONTAINER];
    const status = {
      phase: 'Running',
      startTime: now,
      conditions,
      containerStatuses,
      ...(hostIP && { hostIP }),
    };
    this.#store.patch('Pod', name, { status }, namespace);
  }

  /** Its containers have ended. The object goes once its volumes are unmounted and its finalizers removed. */
  #endPod(pod: PodObject): void {
    const { name, namespace, uid } = pod.metadata;
    if (!hasStopped(pod)) {
      const containerStatuses = [{ name: 'main', state: { terminated: { exitCode: 137 } } }];
      this.#store.patch('Pod', name, { status: { containerStatuses } }, namespace);
    }
    const { volumes } = volumesOf(this.#store, pod);
    if (volumes.some(({ uniqueName }) => this.#mounted.has(uniqueName) && !this.#isShared(uniqueName, uid)))
      return;
    this.#store.delete('Pod', name, namespace, { gracePeriodSeconds: 0, preconditions: { uid } });
  }

  /** Another pod of the node uses the volume, so it stays mounted when this one ends. */
  #isShared(uniqueName: string, uid: string): boolean {
    return this.#store
      .list('Pod')
      .filter(({ metadata, spec }) => metadata.uid !== uid && spec?.nodeName === this.nodeName)
      .filter((pod) => !isTerminating(pod))
      .some((pod) => volumesOf(this.#store, pod).volumes.some((volume) => volume.uniqueName === uniqueName));
  }

  #unmount(volume: CsiVolume): void {
    if (this.#hooks.onUnmount?.(volume.persistentVolume, volume.handle) !== false)
      this.#mounted.delete(volume.uniqueName);
  }
}
