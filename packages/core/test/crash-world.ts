import { AttachmentManager } from '../src/attachment-manager.ts';
import type { NodeFact, PodFact } from '../src/facts.ts';
import { OUT_OF_SERVICE_TAINT, OUT_OF_SERVICE_VALUE } from '../src/out-of-service.ts';
import { PassReporter } from '../src/pass-reporter.ts';
import type { Policy } from '../src/policy.ts';
import type { ClusterEvent, EventRecorder } from '../src/ports.ts';
import { ReleasePass } from '../src/release-pass.ts';
import {
  nodeFact,
  persistentVolumeFact,
  podFact,
  volumeAttachmentFact,
} from '../src/testing/fact-builders.ts';
import { FakeClock } from '../src/testing/fake-clock.ts';
import { type ClusterCall, FakeClusterActions } from '../src/testing/fake-cluster-actions.ts';
import { FakeClusterReader } from '../src/testing/fake-cluster-reader.ts';
import { FakeStorageBox, fakeFleet } from '../src/testing/fake-storage-box.ts';
import { testPolicy } from '../src/testing/policy-builder.ts';

const VOLUMES = ['pv-a', 'pv-b'] as const;
const PASS_INTERVAL_MS = 2_000;
/** Passes after which nothing may be left to do. */
const MAX_PASSES = 60;

/** How it ended: where each volume is attached, and what is left of us. */
export interface EndState {
  readonly attachedTo: Readonly<Record<string, readonly string[]>>;
  readonly fences: number;
  readonly taints: readonly string[];
}

/**
 * A cluster that answers to what is written. `node-a` dies with two volumes and their pods; a deleted pod is created again on
 * `node-b`, where its volume is attached once it is detached from `node-a`; then `node-a` comes back in its next boot.
 * The process under test dies at the effects whose numbers are given, before the effect takes place, and is started anew.
 */
export class CrashWorld {
  readonly #clock = new FakeClock();
  readonly #cluster = new FakeClusterReader(this.#clock);
  readonly #actions = new FakeClusterActions();
  readonly #box = new FakeStorageBox(this.#clock);
  readonly #policy: Policy;
  readonly #cuts: Set<number>;
  readonly #returns: boolean;
  #node: NodeFact | undefined;
  #inUse = new Set<string>(VOLUMES.map((name) => `handle-of-${name}`));
  #isDead = false;
  #isBack = false;
  #fenceIds = 0;
  /** Effects so far, cut ones included. */
  effects = 0;
  /** What must never have happened, in words. */
  readonly violations: string[] = [];

  /** @param cuts numbers of the effects at which the process dies, the first is 1. */
  constructor(policy: Partial<Policy>, cuts: readonly number[], nodeDeleted = false) {
    this.#policy = testPolicy(policy);
    this.#cuts = new Set(cuts);
    this.#returns = !nodeDeleted;
    const lostSinceMs = this.#clock.now() - 60_000;
    for (const name of ['node-b', 'node-c', 'node-d', 'node-e']) this.#cluster.setNode(nodeFact({ name }));
    this.#setNode(nodeFact({ ready: false, readyChangedAtMs: lostSinceMs }));
    for (const name of VOLUMES) {
      this.#cluster.setPersistentVolume(persistentVolumeFact({ name }));
      this.#cluster.setVolumeAttachment(volumeAttachmentFact({ persistentVolumeName: name }));
      this.#cluster.setPod(podFact({ name: `pod-of-${name}`, claimNames: [`claim-of-${name}`] }));
    }
    if (nodeDeleted) {
      this.#cluster.removeNode('node-a');
      this.#actions.removeNode('node-a');
      this.#node = undefined;
    }
    this.#box.setSilent('node-a', lostSinceMs + 15_000, lostSinceMs);
    this.#actions.before = (call) => this.#onCall(call);
    this.#box.beforeChange = ({ kind }) => this.#effect(kind);
  }

  async run(): Promise<EndState> {
    let process = this.#start();
    for (let pass = 0; pass < MAX_PASSES; pass++) {
      const context = { reasons: new Set(['periodic'] as const), nowMs: this.#clock.now(), reconcileId: 'r' };
      await process.run(context, new AbortController().signal);
      if (this.#isDead) {
        this.#isDead = false;
        process = this.#start();
      }
      this.#answer();
      await this.#clock.advance(PASS_INTERVAL_MS);
    }
    return {
      attachedTo: Object.fromEntries(VOLUMES.map((name) => [name, this.#nodesOf(name)])),
      fences: this.#box.fences.size,
      taints: (this.#node?.taints ?? []).map(({ key }) => key),
    };
  }

  #start(): ReleasePass {
    const events: EventRecorder = { record: async (event) => this.#onEvent(event) };
    return new ReleasePass({
      cluster: this.#cluster,
      manager: new AttachmentManager({ clock: this.#clock }),
      fleet: fakeFleet(this.#box),
      actions: this.#actions,
      leadership: { assertHeld: () => this.#assertAlive() },
      observer: new PassReporter({ events }),
      policy: this.#policy,
      newFenceId: () => `fence-${++this.#fenceIds}`,
    });
  }

  #assertAlive(): void {
    if (this.#isDead) throw new Error('the process is dead');
  }

  /** @throws when the process dies here, or has died. */
  #effect(what: string): void {
    this.#assertAlive();
    if (!this.#cuts.has(++this.effects)) return;
    this.#isDead = true;
    throw new Error(`the process died at ${what}`);
  }

  async #onEvent({ reason }: ClusterEvent): Promise<void> {
    try {
      this.#effect(reason);
    } catch {
      // An Event is written on the side: nothing waits for it.
    }
  }

  #onCall(call: ClusterCall): void {
    this.#assertAlive();
    if (call.kind === 'getNode' || call.kind === 'getNodeLeaseRenewTime') return;
    this.#effect(`${call.kind} ${call.name}`);
    this.#checkFenced(call);
    const node = this.#node;
    switch (call.kind) {
      case 'forceDeletePod':
        this.#cluster.removePod(call.pod.namespace, call.pod.name);
        return this.#createPodAgain(call.pod);
      case 'deleteVolumeAttachment':
        return this.#cluster.removeVolumeAttachment(call.name);
      case 'removeVolumesInUse':
        for (const handle of call.volumeHandles) this.#inUse.delete(handle);
        return;
      case 'addOutOfServiceTaint':
        if (!node) return;
        return this.#setNode({
          ...node,
          taints: [{ key: OUT_OF_SERVICE_TAINT, value: OUT_OF_SERVICE_VALUE, effect: 'NoExecute' }],
          ...(node.bootId !== undefined && { outOfServiceBootId: node.bootId }),
        });
      case 'removeOutOfServiceTaint':
        if (node) this.#setNode({ ...node, taints: [] });
        return;
      case 'addFencedTaint':
      case 'removeFencedTaint':
        this.violations.push(`${call.kind} without early detection`);
    }
  }

  /** The invariant of mode fence: nothing leaves a node that is not cut off. */
  #checkFenced({ kind }: ClusterCall): void {
    if (this.#policy.mode !== 'fence' || kind === 'removeOutOfServiceTaint') return;
    const isCutOff = [...this.#box.fences.values()].some(({ addresses }) =>
      addresses.includes('address-of-node-a'),
    );
    if (!isCutOff) this.violations.push(`${kind} before the fence`);
  }

  #createPodAgain(pod: PodFact): void {
    this.#cluster.setPod({
      ...pod,
      uid: `${pod.uid}-again`,
      nodeName: 'node-b',
      hostAddresses: ['address-of-node-b'],
    });
  }

  /** What Kubernetes does between two passes. */
  #answer(): void {
    const isTainted = this.#node?.taints.some(({ key }) => key === OUT_OF_SERVICE_TAINT);
    for (const name of VOLUMES) {
      const isNeededHere = [...this.#cluster.podsOnNode('node-a')].some(({ name: pod }) =>
        pod.endsWith(name),
      );
      const mayDetach = !isNeededHere && (isTainted || !this.#inUse.has(`handle-of-${name}`));
      if (mayDetach) this.#cluster.removeVolumeAttachment(`va-${name}-node-a`);
      const isNeededThere = [...this.#cluster.podsOnNode('node-b')].some(({ name: pod }) =>
        pod.endsWith(name),
      );
      if (isNeededThere && this.#nodesOf(name).length === 0) {
        this.#cluster.setVolumeAttachment(
          volumeAttachmentFact({ persistentVolumeName: name, nodeName: 'node-b' }),
        );
      }
    }
    const hasMoved = VOLUMES.every((name) => this.#nodesOf(name).join() === 'node-b');
    if (!hasMoved || this.#isBack || !this.#returns || !this.#node) return;
    this.#isBack = true;
    this.#setNode({ ...this.#node, ready: true, bootId: 'next-boot' });
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
