import type { NodeFact, PersistentVolumeFact, PodFact, Taint } from '../src/model/facts.ts';
import { FENCED_TAINT } from '../src/model/fenced-taint.ts';
import { OUT_OF_SERVICE_TAINT } from '../src/model/out-of-service.ts';
import type { Policy } from '../src/model/policy.ts';
import { ReleasePass } from '../src/pass/release-pass.ts';
import { PassReporter } from '../src/report/pass-reporter.ts';
import {
  nodeFact,
  persistentVolumeFact,
  podFact,
  volumeAttachmentFact,
} from '../src/testing/fact-builders.ts';
import { FakeClock, settle } from '../src/testing/fake-clock.ts';
import { type ClusterCall, FakeClusterActions } from '../src/testing/fake-cluster-actions.ts';
import { FakeClusterReader } from '../src/testing/fake-cluster-reader.ts';
import { FakeLostNodeRecords } from '../src/testing/fake-lost-node-records.ts';
import { type BackendCall, FakeStorageBackend, fakeFleet } from '../src/testing/fake-storage-backend.ts';
import { testPolicy } from '../src/testing/policy-builder.ts';
import { AttachmentManager } from '../src/tracking/attachment-manager.ts';

const VOLUMES: readonly PersistentVolumeFact[] = [
  persistentVolumeFact({ name: 'pv-a', volumeAttributes: { address: 'backend-a' } }),
  persistentVolumeFact({ name: 'pv-b', volumeAttributes: { address: 'backend-b' } }),
];
const ADDRESSES = ['10.0.0.1', '10.0.0.2'];
const PASS_INTERVAL_MS = 2_000;
/** For how many passes `node-a` is Ready before it boots. */
const PASSES_BEFORE_BOOT = 4;
/** Passes after which nothing may be left to do. Each of up to 12 deaths starts the grace of a deleted Node again. */
const MAX_PASSES = 100;

const MARK: Taint = { key: FENCED_TAINT, value: 'test.csi.reattach.io', effect: 'NoSchedule' };
const OUT_OF_SERVICE: Taint = {
  key: OUT_OF_SERVICE_TAINT,
  value: 'test.csi.reattach.io',
  effect: 'NoExecute',
};

export interface CrashWorldOptions {
  readonly policy: Partial<Policy>;
  /** How `node-a` is lost. Default `not-ready`. */
  readonly loss?: 'not-ready' | 'deleted' | 'lease-stale';
  /** One pod uses both volumes, instead of one pod each. */
  readonly sharedPod?: boolean;
  /** Taking a volume out of `volumesInUse` has no effect. */
  readonly inUseIgnored?: boolean;
}

/** How it ended: where each volume is attached, and what is left of us. */
export interface EndState {
  readonly attachedTo: Readonly<Record<string, readonly string[]>>;
  readonly fences: number;
  readonly taints: readonly string[];
}

/**
 * A cluster and two backends that answer to what is written. `node-a` dies with a volume at each backend; deleted pods are created
 * again on `node-b`, where a volume is attached once it is detached from `node-a`; then `node-a` is heard of again, still with
 * its dirty pages, and later boots.
 * The process under test dies at the effects whose numbers are given: neither this effect nor any later one of the process
 * takes place or is answered, its pass is dropped at that point, and another process is started without any memory.
 * A fence of two addresses is two effects: between them it is partial.
 */
export class CrashWorld {
  readonly #clock = new FakeClock();
  readonly #cluster = new FakeClusterReader(this.#clock);
  readonly #actions = new FakeClusterActions();
  readonly #records = new FakeLostNodeRecords();
  readonly #backends = [
    new FakeStorageBackend(this.#clock, 'backend-a'),
    new FakeStorageBackend(this.#clock, 'backend-b'),
  ];
  readonly #options: CrashWorldOptions;
  readonly #policy: Policy;
  readonly #cuts: ReadonlySet<number>;
  readonly #inUse = new Set(VOLUMES.map(({ volumeHandle }) => volumeHandle));
  #node: NodeFact | undefined;
  #death = Promise.withResolvers<void>();
  #isDead = false;
  #passesBack = 0;
  #hasBooted = false;
  #fenceIds = 0;
  /** Effects so far, cut ones included. */
  effects = 0;
  /** What must never have happened, in words. */
  readonly violations: string[] = [];

  /** @param cuts numbers of the effects at which the process dies; the first is 1. */
  constructor(options: CrashWorldOptions, cuts: readonly number[] = []) {
    const { policy, loss, sharedPod } = options;
    this.#options = options;
    this.#policy = testPolicy(policy);
    this.#cuts = new Set(cuts);
    const lostSinceMs = this.#clock.now() - 60_000;
    for (const name of ['node-b', 'node-c', 'node-d', 'node-e']) this.#cluster.setNode(nodeFact({ name }));
    const ready = loss === 'lease-stale';
    this.#setNode(nodeFact({ ready, readyObservedAtMs: lostSinceMs, storageAddresses: ADDRESSES }));
    this.#actions.setNodeLeaseRenewTime('node-a', 't');
    this.#cluster.setNodeLease({ nodeName: 'node-a', uid: 'l', renewTime: 't', observedAtMs: lostSinceMs });
    for (const volume of VOLUMES) {
      this.#cluster.setPersistentVolume(volume);
      this.#cluster.setVolumeAttachment(volumeAttachmentFact({ persistentVolumeName: volume.name }));
      const claimNames = sharedPod
        ? VOLUMES.map(({ name }) => `claim-of-${name}`)
        : [`claim-of-${volume.name}`];
      this.#cluster.setPod(
        podFact({ name: sharedPod ? 'pod' : `pod-of-${volume.name}`, claimNames, hostAddresses: ADDRESSES }),
      );
    }
    if (loss === 'deleted') {
      this.#cluster.removeNode('node-a');
      this.#actions.removeNode('node-a');
      this.#node = undefined;
    }
    this.#actions.before = (call) => this.#onCall(call);
    this.#records.before = () => this.#effect();
    for (const backend of this.#backends) {
      backend.setSilent('node-a', lostSinceMs + 15_000, lostSinceMs);
      backend.before = () => this.#hangWhenDead();
      backend.beforeChange = (call) => this.#onChange(backend, call);
    }
  }

  async run(): Promise<EndState> {
    let process = this.#start();
    let life = new AbortController();
    for (let pass = 0; pass < MAX_PASSES; pass++) {
      const context = {
        reasons: new Set(['periodic'] as const),
        nowMs: this.#clock.now(),
        reconcileId: 'r',
        wake: () => undefined,
      };
      await Promise.race([process.run(context, life.signal), this.#death.promise]);
      await settle(); // the rest of a dead process runs into calls that are never answered
      if (this.#isDead) {
        life.abort(); // what hangs never settles, so a dead process reports no more
        life = new AbortController();
        this.#isDead = false;
        this.#death = Promise.withResolvers();
        this.#forget();
        process = this.#start();
      }
      await this.#readFirst();
      this.#answer();
      await this.#clock.advance(PASS_INTERVAL_MS);
    }
    return {
      attachedTo: Object.fromEntries(VOLUMES.map(({ name }) => [name, this.#nodesOf(name)])),
      fences: this.#backends.reduce((sum, { fences }) => sum + fences.size, 0),
      taints: (this.#node?.taints ?? []).map(({ key }) => key),
    };
  }

  /** What a process learned from caches and backends dies with it. */
  #forget(): void {
    if (!this.#node) {
      this.#cluster.setNode(nodeFact()); // only a Node that is there can be removed as forgotten
      this.#cluster.removeNode('node-a', { forgotten: true });
    }
    for (const backend of this.#backends) backend.lastReading = undefined;
  }

  #start(): ReleasePass {
    return new ReleasePass({
      cluster: this.#cluster,
      manager: new AttachmentManager({ clock: this.#clock }),
      fleet: fakeFleet(...this.#backends),
      actions: this.#actions,
      clock: this.#clock,
      records: this.#records,
      leadership: { assertHeld: () => undefined },
      observer: new PassReporter({ events: { record: () => this.#effect() } }),
      policy: this.#policy,
      newFenceId: () => `fence-${++this.#fenceIds}`,
    });
  }

  /** A backend without a reading reads itself. */
  async #readFirst(): Promise<void> {
    const nothing = { suspects: [], peers: [], volumes: [] };
    for (const backend of this.#backends) {
      if (!backend.lastReading) await backend.observe(nothing, new AbortController().signal);
    }
  }

  /** Counts an effect; never settles when the process dies here, or has died. */
  async #effect(): Promise<void> {
    await this.#hangWhenDead();
    if (!this.#cuts.has(++this.effects)) return;
    this.#isDead = true;
    this.#death.resolve();
    await this.#hangWhenDead();
  }

  #hangWhenDead(): Promise<void> | undefined {
    return this.#isDead ? new Promise(() => undefined) : undefined;
  }

  async #onChange(backend: FakeStorageBackend, call: BackendCall): Promise<void> {
    await this.#effect();
    if (call.kind === 'unfence') {
      if (!this.#hasBooted) this.violations.push('unfence before the next boot');
      if (this.#node?.taints.includes(OUT_OF_SERVICE)) this.violations.push('unfence before the taint went');
      return;
    }
    const [first, ...rest] = call.addresses;
    if (first === undefined || rest.length === 0) return;
    const known = backend.fences.get(call.fence.id)?.addresses ?? [];
    backend.fences.set(call.fence.id, {
      ...call.fence,
      addresses: [...known, first],
      seenSinceMs: this.#clock.now(),
    });
    await this.#effect();
  }

  async #onCall(call: ClusterCall): Promise<void> {
    await this.#hangWhenDead();
    if (
      call.kind === 'getNode' ||
      call.kind === 'getNodeLeaseRenewTime' ||
      call.kind === 'getVolumeAttachment'
    )
      return;
    await this.#effect();
    const { kind } = call;
    switch (call.kind) {
      case 'forceDeletePod':
        this.#checkFenced(kind, (volume) => call.pod.claimNames.includes(volume.claim?.name ?? ''));
        this.#cluster.removePod(call.pod.namespace, call.pod.name);
        this.#createPodAgain(call.pod);
        return;
      case 'deleteVolumeAttachment':
        this.#checkFenced(kind, ({ name }) => name === call.attachment.persistentVolumeName);
        this.#cluster.removeVolumeAttachment(call.name);
        return;
      case 'removeVolumesInUse':
        this.#checkFenced(kind, ({ volumeHandle = '' }) => call.volumeHandles.includes(volumeHandle));
        if (!this.#options.inUseIgnored) for (const handle of call.volumeHandles) this.#inUse.delete(handle);
        return;
      case 'addOutOfServiceTaint':
        this.#checkFenced(kind, () => true);
        this.#taint(OUT_OF_SERVICE);
        return;
      case 'addFencedTaint':
        this.#taint(MARK);
        return;
      case 'removeOutOfServiceTaint':
      case 'removeFencedTaint': {
        const removed = kind === 'removeFencedTaint' ? MARK : OUT_OF_SERVICE;
        if (!this.#hasBooted) this.violations.push(`${kind} before the next boot`);
        if (!this.#node) return;
        this.#setNode({ ...this.#node, taints: this.#node.taints.filter(({ key }) => key !== removed.key) });
      }
    }
  }

  #taint(taint: Taint): void {
    const node = this.#node;
    if (!node) return;
    const isRecorded = taint === OUT_OF_SERVICE && node.bootId !== undefined;
    const taints = [...node.taints.filter(({ key }) => key !== taint.key), taint];
    this.#setNode({ ...node, taints, ...(isRecorded && { outOfServiceBootId: node.bootId }) });
  }

  /** The invariant of mode fence: nothing leaves a node that is not cut off from the backend that holds it. */
  #checkFenced(what: string, isTouched: (volume: PersistentVolumeFact) => boolean): void {
    if (this.#policy.mode !== 'fence' || this.#hasBooted) return;
    for (const volume of VOLUMES.filter(isTouched)) {
      const backend = this.#backends.find(({ name }) => name === volume.volumeAttributes['address']);
      const cutOff = [...(backend?.fences.values() ?? [])].flatMap(({ addresses }) => addresses);
      const isOpen = ADDRESSES.some((address) => !cutOff.includes(address));
      if (isOpen) this.violations.push(`${what} before the fence at ${backend?.name}`);
    }
  }

  /** On `node-b`, unless `node-a` looks as good as any to the scheduler. */
  #createPodAgain(pod: PodFact): void {
    const isFree = this.#node?.ready && this.#node.taints.length === 0;
    if (isFree) this.violations.push('a pod was deleted where the scheduler may put it back');
    this.#cluster.setPod({
      ...pod,
      uid: `${pod.uid}-again`,
      nodeName: isFree ? 'node-a' : 'node-b',
    });
  }

  /** What Kubernetes does between two passes. */
  #answer(): void {
    const isTainted = this.#node?.taints.includes(OUT_OF_SERVICE);
    for (const volume of VOLUMES) {
      const { name } = volume;
      const mayDetach = isTainted || !this.#inUse.has(volume.volumeHandle);
      if (mayDetach && !this.#isUsedOn('node-a', volume)) {
        this.#cluster.removeVolumeAttachment(`va-${name}-node-a`);
      }
      if (this.#nodesOf(name).length > 0 || !this.#isUsedOn('node-b', volume)) continue;
      this.#checkFenced('attach to node-b', ({ name: each }) => each === name);
      this.#cluster.setVolumeAttachment(
        volumeAttachmentFact({ persistentVolumeName: name, nodeName: 'node-b' }),
      );
    }
    const hasMoved = VOLUMES.every(({ name }) => this.#nodesOf(name).join() === 'node-b');
    if (!hasMoved || !this.#node) return;
    const renewTime = `${this.#clock.now()}`;
    this.#actions.setNodeLeaseRenewTime('node-a', renewTime);
    this.#cluster.setNodeLease({ nodeName: 'node-a', uid: 'l', renewTime, observedAtMs: this.#clock.now() });
    this.#passesBack++;
    if (this.#passesBack === 1) this.#setNode({ ...this.#node, ready: true });
    if (this.#passesBack !== PASSES_BEFORE_BOOT) return;
    this.#hasBooted = true;
    this.#setNode({ ...this.#node, bootId: 'next-boot' });
  }

  #isUsedOn(nodeName: string, { claim }: PersistentVolumeFact): boolean {
    return [...this.#cluster.podsOnNode(nodeName)].some((pod) => pod.claimNames.includes(claim?.name ?? ''));
  }

  #setNode(node: NodeFact): void {
    this.#node = node;
    this.#cluster.setNode(node);
    this.#actions.setNode(node);
  }

  #nodesOf(volume: string): readonly string[] {
    return [...this.#cluster.volumeAttachments()]
      .filter(({ persistentVolumeName }) => persistentVolumeName === volume)
      .map(({ nodeName }) => nodeName);
  }
}
