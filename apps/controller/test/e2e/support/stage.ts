import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { systemClock } from '@reattach/core';
import { apiPaths, CONFIRMED_OFF, pathOf } from '@reattach/k8s-api';
import type { VolumeAttachmentObject } from '@reattach/kube-sim';
import { RdsSim, type SimHost } from '@reattach/rds-sim';
import { type ControllerProcess, SimWorkload, until } from '@reattach/sim-world';
import type { MirrorChange } from './cluster-mirror.ts';
import { DRIVER, type E2eCluster, NAMESPACE } from './e2e-cluster.ts';
import { FakeKubelet, registerDriver } from './fake-kubelet.ts';
import { STAGE_LABEL, takesPods } from './fake-scheduler.ts';
import { inDefault } from './kube-client.ts';
import { startController } from './start-controller.ts';

/** Where PersistentVolumes say the backend is; SSH listens elsewhere. */
const BACKEND_ADDRESS = '10.0.0.10';
const KEEP_ALIVE_TIMEOUT_MS = 500; // real: 5 000
const RECONNECT_DELAY_MS = 250; // real: 10 000
const CONNECT_TIMEOUT_MS = 300; // real: 3 000
const WRITE_INTERVAL_MS = 50;
const SETTLE_MS = 300_000;
/** Of each controller, when a wait was in vain. */
const LINES_QUOTED = 6;

/** Waits that a production controller would refuse, in step with keep-alives that are twenty times faster. */
export const TIMES = {
  gracePeriodMs: 4_000,
  silentGraceMs: 500,
  activityWindowMs: 2_000,
} as const;

export const COMPRESSED_FLAGS: readonly string[] = [
  '--unsafe-compressed-times',
  `--grace-period-ms=${TIMES.gracePeriodMs}`,
  `--silent-grace-ms=${TIMES.silentGraceMs}`,
  `--rds-activity-window-ms=${TIMES.activityWindowMs}`,
  '--suspect-poll-ms=200',
  '--rds-idle-poll-ms=500',
  '--rds-writes-still-ms=250',
  '--fence-poll-ms=500',
];

/** A machine: its kubelet, its place in the storage network and what runs on it. */
export interface StageNode {
  readonly name: string;
  readonly kubelet: FakeKubelet;
  readonly host: SimHost;
  readonly workload: SimWorkload;
}

export interface StageOptions {
  /** Prefix of every name; unique in the cluster. */
  readonly name: string;
  /** Replicas of a StatefulSet, each with an RWO volume. Default 3: one on each of the three nodes. */
  readonly replicas?: number;
}

/** Three nodes, a backend and a StatefulSet whose pods write to their volumes without pause. Disposal takes all of it away. */
export class Stage implements AsyncDisposable {
  readonly name: string;
  readonly cluster: E2eCluster;
  readonly rds: RdsSim;
  readonly nodes: readonly StageNode[];
  readonly #replicas: number;
  readonly #cleanup: AsyncDisposableStack;
  readonly #folder: string;
  readonly #controllers: ControllerProcess[] = [];

  private constructor(
    options: StageOptions,
    cluster: E2eCluster,
    rds: RdsSim,
    folder: string,
    cleanup: AsyncDisposableStack,
  ) {
    const { name, replicas = 3 } = options;
    this.name = name;
    this.cluster = cluster;
    this.rds = rds;
    this.#replicas = replicas;
    this.#folder = folder;
    this.#cleanup = cleanup;
    this.nodes = ['a', 'b', 'c'].map((letter, index) =>
      this.#addNode(`${name}-${letter}`, `10.0.0.${index + 11}`),
    );
  }

  /** Settled: each pod runs on a node of its own and writes. */
  static async start(cluster: E2eCluster, options: StageOptions): Promise<Stage> {
    await using cleanup = new AsyncDisposableStack();
    const rds = cleanup.use(
      await RdsSim.start({
        clock: systemClock,
        address: BACKEND_ADDRESS,
        tracking: { enabled: 'yes' },
      }),
    );
    rds.device.addDropRule();
    const folder = await mkdtemp(join(tmpdir(), 'reattach-stage-'));
    cleanup.defer(() => rm(folder, { recursive: true, force: true }));
    await writeFile(join(folder, 'id_ed25519'), rds.credentials.privateKey, { mode: 0o600 });
    await writeFile(join(folder, 'host-key'), rds.hostKey);
    const stage = new Stage(options, cluster, rds, folder, cleanup.move());
    try {
      await stage.#populate();
      return stage;
    } catch (err) {
      await stage[Symbol.asyncDispose]();
      throw err;
    }
  }

  node(letter: 'a' | 'b' | 'c'): StageNode {
    const node = this.nodes.find(({ name }) => name === `${this.name}-${letter}`);
    if (!node) throw new TypeError(`Expected a node ${letter}`);
    return node;
  }

  /** The real controller as a process, under its own ServiceAccount. Stopped with the stage. */
  controller(...flags: readonly string[]): ControllerProcess {
    const { host, port, credentials } = this.rds;
    const controller = startController([
      ...COMPRESSED_FLAGS,
      `--kubeconfig=${this.cluster.kubeconfigPath}`,
      `--attacher=${DRIVER}`,
      `--rds-address=${host}:${port}`,
      `--rds-user=${credentials.username}`,
      `--rds-private-key-file=${join(this.#folder, 'id_ed25519')}`,
      `--rds-host-key-file=${join(this.#folder, 'host-key')}`,
      `--rds-storage-addresses=${BACKEND_ADDRESS}`,
      `--leader-election-identity=${this.name}-${this.#controllers.length}`,
      `--leader-election-namespace=${NAMESPACE}`,
      '--http-listen=127.0.0.1:0',
      ...flags,
    ]);
    this.#controllers.push(controller);
    return this.#cleanup.use(controller);
  }

  /** Kubelet, workload and network are gone at once. Settles when the last request of the kubelet was answered. */
  async powerOff({ kubelet, host, workload }: StageNode): Promise<void> {
    host.powerOff();
    workload.forget();
    await kubelet.stop();
  }

  /** VolumeAttachments of our driver on a node. */
  attachmentsOn({ name }: StageNode): readonly VolumeAttachmentObject[] {
    return this.cluster.mirror
      .list('VolumeAttachment')
      .filter(({ spec }) => spec?.attacher === DRIVER && spec.nodeName === name);
  }

  /** Names of the StatefulSet's pods that are bound to a node. */
  podsOn({ name }: StageNode): readonly string[] {
    return this.cluster.mirror
      .list('Pod')
      .filter(({ metadata, spec }) => metadata.labels?.['app'] === this.name && spec?.nodeName === name)
      .map(({ metadata }) => metadata.name);
  }

  /** Our volumes that the Node says are in use; none when it is gone. */
  volumesInUse({ name }: StageNode): readonly string[] {
    return this.cluster.mirror.get('Node', name)?.status?.volumesInUse ?? [];
  }

  /** Comments of the fences at the backend. */
  fences(): readonly (string | undefined)[] {
    return this.rds.device.addressList.entries
      .filter(({ list }) => list === 'reattach-fenced')
      .map(({ comment }) => comment);
  }

  /** How far the release of a node with one pod has come, in words. */
  progress(node: StageNode): string {
    const [attachment] = this.attachmentsOn(node);
    return [
      `${this.fences().length} fences`,
      `${this.podsOn(node).length} pods`,
      `${this.volumesInUse(node).length} volumes in use`,
      `VolumeAttachment ${attachment ? (attachment.metadata.deletionTimestamp ? 'deleting' : 'there') : 'gone'}`,
    ].join(', ');
  }

  /** When the Node was seen to say NotReady; `undefined` while it does not. */
  notReadySinceMs({ name }: StageNode): number | undefined {
    const ready = this.cluster.mirror
      .get('Node', name)
      ?.status?.conditions?.find(({ type }) => type === 'Ready');
    if (!ready || ready.status === 'True') return undefined;
    return Date.parse(ready.lastTransitionTime ?? '');
  }

  async untilNotReady(node: StageNode): Promise<number> {
    await until(`${node.name} to be NotReady`, 300_000, () => this.notReadySinceMs(node) !== undefined);
    return this.notReadySinceMs(node) ?? Number.NaN;
  }

  /** The first change of this kind of object after `sinceMs`, once it has come. */
  async change(
    what: string,
    timeoutMs: number,
    fits: (change: MirrorChange) => boolean,
    sinceMs = 0,
  ): Promise<MirrorChange> {
    const find = () => this.cluster.mirror.changes.find((change) => change.atMs >= sinceMs && fits(change));
    await until(what, timeoutMs, () => find() !== undefined);
    const found = find();
    if (!found) throw new Error(`Lost the change: ${what}`);
    return found;
  }

  /** Every pod runs, and every volume is attached to one node, none of them `without`. */
  async untilSettled(without?: StageNode, timeoutMs: number = SETTLE_MS): Promise<void> {
    await until(
      () => `every replica of ${this.name} to run:\n${this.#describe()}`,
      timeoutMs,
      () => this.#isSettled(without),
    );
  }

  /**
   * As {@link untilSettled}; where the controller was away while the queues of the node closed and holds `quiesce-unproved`, an
   * operator confirms that the machine is off. @returns whether that was necessary
   */
  async untilSettledOrConfirmed(
    dead: StageNode,
    { log }: { readonly log: readonly Readonly<Record<string, unknown>>[] },
  ): Promise<boolean> {
    const isHeld = () =>
      log.some(({ msg, reason }) => msg === 'Held release' && reason === 'quiesce-unproved');
    await until(
      () => `every replica of ${this.name} to run, or the hold:\n${this.#describe()}`,
      SETTLE_MS,
      () => this.#isSettled(dead) || isHeld(),
    );
    if (!isHeld()) return false;
    const id = /id=([0-9a-f]{8})/.exec(this.fences()[0] ?? '')?.[1];
    for (const { metadata } of this.attachmentsOn(dead)) {
      await this.cluster.kube.patch(apiPaths.volumeAttachment(metadata.name), {
        metadata: { annotations: { [CONFIRMED_OFF]: id } },
      });
    }
    await this.untilSettled(dead);
    return true;
  }

  /** Messages of Events with this reason on our claims. */
  async claimEvents(reason: string): Promise<readonly string[]> {
    const list = await this.cluster.kube.get<{
      items: readonly { reason: string; note: string; regarding: { kind: string; name: string } }[];
    }>(apiPaths.events('default'));
    return (list?.items ?? [])
      .filter(
        (event) =>
          event.reason === reason &&
          event.regarding.kind === 'PersistentVolumeClaim' &&
          event.regarding.name.startsWith(`data-${this.name}-`),
      )
      .map(({ regarding, note }) => `${regarding.name}: ${note}`);
  }

  /** @throws {Error} when the API server refused a controller anything: it has exactly the documented roles. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#cleanup.disposeAsync();
    const refused = this.#controllers
      .flatMap(({ log }) => log)
      .filter((line) => JSON.stringify(line).includes('FORBIDDEN'));
    if (refused.length > 0)
      throw new Error(`The controller lacks a permission: ${JSON.stringify(refused[0])}`);
  }

  #addNode(name: string, address: string): StageNode {
    const { rds, cluster } = this;
    const host = rds.device.addHost({
      name,
      addresses: [address],
      keepAliveTimeoutMs: KEEP_ALIVE_TIMEOUT_MS,
      reconnectDelayMs: RECONNECT_DELAY_MS,
      connectTimeoutMs: CONNECT_TIMEOUT_MS,
    });
    const workload = new SimWorkload(host, { clock: systemClock, writeIntervalMs: WRITE_INTERVAL_MS });
    const labels = { [STAGE_LABEL]: this.name };
    const { kube, mirror } = cluster;
    const kubelet = new FakeKubelet({
      kube,
      mirror,
      nodeName: name,
      address,
      version: this.cluster.envtest.version.gitVersion,
      labels,
      workload,
    });
    this.#cleanup.use(workload);
    return { name, kubelet, host, workload };
  }

  async #populate(): Promise<void> {
    const { kube } = this.cluster;
    this.#cleanup.defer(() => this.#clear());
    for (const { name, kubelet } of this.nodes) {
      await kubelet.start();
      this.#cleanup.use(kubelet);
      await registerDriver(kube, name, DRIVER);
    }
    for (let index = 0; index < this.#replicas; index++) await this.#addVolume(index);
    await until('every node to take pods', SETTLE_MS, () =>
      this.nodes.every(({ name }) => takesPods(this.cluster.mirror.get('Node', name))),
    );
    await kube.create(
      pathOf('apis', 'apps', 'v1', 'namespaces', 'default', 'statefulsets'),
      this.#statefulSet(),
    );
    await this.untilSettled();
  }

  async #addVolume(index: number): Promise<void> {
    const { kube } = this.cluster;
    const handle = `pvc-${this.name}-${index}`;
    const nqn = `nqn.2026-01.example.test:${handle}`;
    this.rds.device.addVolume({ slot: handle, nqn, sizeBytes: 2 ** 30 });
    const claim = { namespace: 'default', name: `data-${this.name}-${index}` };
    const spec = { accessModes: ['ReadWriteOnce'], storageClassName: '' };
    await kube.create(apiPaths.persistentVolumes, {
      apiVersion: 'v1',
      kind: 'PersistentVolume',
      metadata: { name: handle },
      spec: {
        ...spec,
        capacity: { storage: '1Gi' },
        persistentVolumeReclaimPolicy: 'Retain',
        csi: {
          driver: DRIVER,
          volumeHandle: handle,
          fsType: 'ext4',
          volumeAttributes: { nqn, nvmeAddress: BACKEND_ADDRESS, nvmePort: '4420' },
        },
        claimRef: { apiVersion: 'v1', kind: 'PersistentVolumeClaim', ...claim },
      },
    });
    await kube.create(inDefault('persistentvolumeclaims'), {
      apiVersion: 'v1',
      kind: 'PersistentVolumeClaim',
      metadata: claim,
      spec: { ...spec, volumeName: handle, resources: { requests: { storage: '1Gi' } } },
    });
  }

  #statefulSet(): object {
    const labels = { app: this.name };
    return {
      apiVersion: 'apps/v1',
      kind: 'StatefulSet',
      metadata: { name: this.name },
      spec: {
        replicas: this.#replicas,
        serviceName: this.name,
        podManagementPolicy: 'Parallel',
        selector: { matchLabels: labels },
        template: {
          metadata: { labels },
          spec: {
            nodeSelector: { [STAGE_LABEL]: this.name },
            containers: [
              {
                name: 'db',
                image: 'example.test/db:1',
                volumeMounts: [{ name: 'data', mountPath: '/data' }],
              },
            ],
          },
        },
        volumeClaimTemplates: [
          {
            metadata: { name: 'data' },
            spec: {
              accessModes: ['ReadWriteOnce'],
              storageClassName: '',
              resources: { requests: { storage: '1Gi' } },
            },
          },
        ],
      },
    };
  }

  #isSettled(without: StageNode | undefined): boolean {
    const { mirror } = this.cluster;
    const pods = mirror.list('Pod').filter(({ metadata }) => metadata.labels?.['app'] === this.name);
    const attachments = this.nodes.flatMap((node) => this.attachmentsOn(node));
    return (
      pods.length === this.#replicas &&
      attachments.length === this.#replicas &&
      pods.every(({ status, spec }) => status?.phase === 'Running' && spec?.nodeName !== without?.name) &&
      attachments.every(({ status, spec }) => status?.attached === true && spec?.nodeName !== without?.name)
    );
  }

  #describe(): string {
    const { mirror } = this.cluster;
    const pods = mirror
      .list('Pod')
      .map(({ metadata, spec, status }) => `${metadata.name} on ${spec?.nodeName}: ${status?.phase}`);
    const attachments = mirror
      .list('VolumeAttachment')
      .map(
        ({ spec, status, metadata }) =>
          `${spec?.source.persistentVolumeName} on ${spec?.nodeName}: ${status?.attached}${metadata.deletionTimestamp ? ', deleting' : ''}`,
      );
    const said = this.#controllers.flatMap(({ log }) =>
      log.slice(-LINES_QUOTED).map((line) => JSON.stringify(line)),
    );
    return [...pods, ...attachments, ...said].join('\n');
  }

  /** Nothing of it is left that could count in the next stage: a node that stays lost would. */
  async #clear(): Promise<void> {
    const { kube, mirror } = this.cluster;
    await kube.remove(pathOf('apis', 'apps', 'v1', 'namespaces', 'default', 'statefulsets', this.name), {
      propagationPolicy: 'Orphan',
    });
    await kube.remove(inDefault('pods'), { gracePeriodSeconds: 0 }, { labelSelector: `app=${this.name}` });
    for (const { name } of this.nodes) {
      await kube.remove(apiPaths.node(name));
      await kube.remove(pathOf('apis', 'storage.k8s.io', 'v1', 'csinodes', name));
    }
    const mine = mirror
      .list('VolumeAttachment')
      .filter(({ spec }) => this.nodes.some(({ name }) => name === spec?.nodeName));
    for (const { metadata } of mine) {
      await kube.remove(apiPaths.volumeAttachment(metadata.name));
      await kube.patch(apiPaths.volumeAttachment(metadata.name), { metadata: { finalizers: null } });
    }
    for (let index = 0; index < this.#replicas; index++) {
      await kube.remove(inDefault('persistentvolumeclaims', `data-${this.name}-${index}`));
      await kube.remove(apiPaths.persistentVolume(`pvc-${this.name}-${index}`));
    }
  }
}
