import { writeFile } from 'node:fs/promises';
import { type Clock, systemClock } from '@reattach/core';
import type { Faults } from './faults.ts';
import type {
  NodeObject,
  PersistentVolumeObject,
  PodObject,
  StatefulSetObject,
  VolumeAttachmentObject,
} from './kube-object.ts';
import { KubeServer } from './kube-server.ts';
import {
  type AttachmentOptions,
  attachmentManifest,
  claimManifest,
  leaseManifest,
  type NodeOptions,
  nodeManifest,
  type PodOptions,
  podManifest,
  type StatefulSetOptions,
  statefulSetManifest,
  type VolumeOptions,
  volumeManifest,
} from './manifests.ts';
import { ObjectStore } from './object-store.ts';
import { type LoggedRequest, RequestLog, type RequestMatch } from './request-log.ts';
import { servedResources } from './resource.ts';

const DEFAULT_CLUSTER_ID = '00000000-0000-4000-8000-c10000000000';

export interface KubeSimOptions {
  /** Timestamps, timeouts, delays and fake controllers run on it. Default: the machine's clock. */
  readonly clock?: Clock;
  /** uid of the namespace `kube-system`, which identifies the cluster. Default: the same in every run. */
  readonly clusterId?: string;
  /** Requests kept in `requests`. Default 10 000. */
  readonly requestLimit?: number;
  /** Changes kept for watches; older ones are compacted. Default 50 000. */
  readonly historyLimit?: number;
  /** Time between bookmarks, ms. Default 60 000, as in kube-apiserver. */
  readonly bookmarkIntervalMs?: number;
  /** Serves `kubevirt.io/v1` virtualmachineinstancemigrations, as with KubeVirt's CRDs. Default false: 404. */
  readonly kubevirt?: boolean;
  /** Watches may ask for `sendInitialEvents`. Default true; false: 422, as without the WatchList feature gate. */
  readonly streamingLists?: boolean;
}

/** An API server on loopback whose whole state is in memory and at hand. */
export class KubeSim implements AsyncDisposable {
  readonly store: ObjectStore;
  readonly faults: Faults;
  /** The clock it was started with. */
  readonly clock: Clock;
  readonly #log: RequestLog;
  readonly #server: KubeServer;

  private constructor(options: KubeSimOptions) {
    const { clock = systemClock, requestLimit = 10_000, historyLimit = 50_000 } = options;
    this.clock = clock;
    this.store = new ObjectStore(clock, historyLimit, options.clusterId ?? DEFAULT_CLUSTER_ID);
    this.#log = new RequestLog(requestLimit);
    const { bookmarkIntervalMs = 60_000, kubevirt = false, streamingLists = true } = options;
    this.#server = new KubeServer({
      store: this.store,
      log: this.#log,
      clock,
      bookmarkIntervalMs,
      resources: servedResources(kubevirt),
      streamingLists,
    });
    this.faults = this.#server.faults;
  }

  static async start(options: KubeSimOptions = {}): Promise<KubeSim> {
    const sim = new KubeSim(options);
    await sim.#server.acceptConnections();
    return sim;
  }

  get url(): string {
    return `http://127.0.0.1:${this.#server.port}`;
  }

  /** Requests received, oldest first. */
  get requests(): readonly LoggedRequest[] {
    return this.#log.entries;
  }

  /** Requests of the watches that are open now. */
  get openWatches(): readonly LoggedRequest[] {
    return this.#server.openWatches;
  }

  /** Resolves with the first request, logged already or later, that fits; asked again when its status is known. */
  waitFor(match: RequestMatch, signal: AbortSignal): Promise<LoggedRequest> {
    return this.#log.waitFor(match, signal);
  }

  /** Calls `listener` with every request as it is received, before it is handled, and again when its status is known. */
  subscribeRequests(listener: (request: LoggedRequest) => void): Disposable {
    return this.#log.subscribe(listener);
  }

  /** Makes every resourceVersion handed out so far too old. Open watches go on. */
  compact(): void {
    this.store.compact();
  }

  /** Sends a bookmark now to every open watch that asked for them. */
  sendBookmarks(): void {
    this.#server.sendBookmarks();
  }

  /** A kubeconfig for this server, as YAML. */
  kubeconfig(): string {
    return `apiVersion: v1
kind: Config
current-context: kube-sim
clusters:
  - name: kube-sim
    cluster:
      server: ${this.url}
      insecure-skip-tls-verify: true
users:
  - name: kube-sim
    user: {}
contexts:
  - name: kube-sim
    context:
      cluster: kube-sim
      user: kube-sim
`;
  }

  async writeKubeconfig(path: string): Promise<void> {
    await writeFile(path, this.kubeconfig(), { mode: 0o600 });
  }

  /** Adds a Node and its fresh Lease. */
  addNode(options: NodeOptions): NodeObject {
    const node = this.store.create(nodeManifest(options, this.clock.now()));
    this.store.create(leaseManifest(options.name, this.clock.now()));
    return node;
  }

  /** Adds a CSI PersistentVolume and, when named, the claim bound to it. */
  addVolume(options: VolumeOptions): PersistentVolumeObject {
    const { claim } = options;
    const bound = claim === undefined ? undefined : this.store.create(claimManifest({ ...options, claim }));
    return this.store.create(volumeManifest(options, bound?.metadata.uid));
  }

  addPod(options: PodOptions): PodObject {
    return this.store.create(podManifest(options));
  }

  /** Adds the VolumeAttachment of a volume that was added before. */
  addAttachment(options: Omit<AttachmentOptions, 'volumeHandle' | 'attacher'>): VolumeAttachmentObject {
    const volume = this.store.get('PersistentVolume', options.persistentVolume);
    const csi = volume?.spec?.csi;
    if (!csi)
      throw new TypeError(`Expected a CSI PersistentVolume ${options.persistentVolume}: add it first`);
    const { driver: attacher, volumeHandle } = csi;
    return this.store.create(attachmentManifest({ attacher, volumeHandle, ...options }));
  }

  addStatefulSet(options: StatefulSetOptions): StatefulSetObject {
    return this.store.create(statefulSetManifest(options));
  }

  /** Ends every watch and connection. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#server.close();
  }
}
