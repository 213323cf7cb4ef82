import { AttachmentManager, type NodeFact, ReleasePass } from '@reattach/core';
import {
  FakeClock,
  FakeClusterActions,
  FakeClusterReader,
  FakeStorageBackend,
  fakeFleet,
  nodeFact,
  persistentVolumeFact,
  testPolicy,
  volumeAttachmentFact,
} from '@reattach/core/testing';

/** Every node holds this many attachments, whatever the size of the cluster. */
const ATTACHMENTS_PER_NODE = 2;

/** A cluster of fakes and the pass over it. Every lost node is silent at its backend; detaches take effect at once. */
export class PassWorld {
  readonly clock: FakeClock = new FakeClock();
  readonly cluster: FakeClusterReader = new FakeClusterReader(this.clock);
  readonly backend: FakeStorageBackend = new FakeStorageBackend(this.clock);
  readonly actions: FakeClusterActions = new FakeClusterActions();
  readonly #pass: ReleasePass;
  readonly #attachments: number;
  readonly #nodes: number;
  #churn = 0;
  #left: number;
  /** The observer was called with a failed write. */
  hasFailed = false;

  /** @param isBreakerOff many nodes lost at once are released all the same */
  constructor(attachments: number, { isBreakerOff = false }: { readonly isBreakerOff?: boolean } = {}) {
    this.#attachments = attachments;
    this.#left = attachments;
    this.#nodes = attachments / ATTACHMENTS_PER_NODE;
    for (let index = 0; index < this.#nodes; index++) this.#setNode(nodeFact(nodeAt(index)));
    for (let index = 0; index < attachments; index++) {
      const persistentVolumeName = `pv-${index}`;
      this.cluster.setPersistentVolume(persistentVolumeFact({ name: persistentVolumeName }));
      this.cluster.setVolumeAttachment(this.#attachmentAt(index));
    }
    this.actions.before = (call) => {
      if (call.kind !== 'deleteVolumeAttachment') return;
      this.cluster.removeVolumeAttachment(call.name);
      this.#left--;
    };
    const never = Number.MAX_SAFE_INTEGER;
    const breaker = { maxNodes: never, maxFraction: 1, maxNodesPerWindow: never, windowMs: 1 };
    this.#pass = new ReleasePass({
      cluster: this.cluster,
      manager: new AttachmentManager({ clock: this.clock }),
      fleet: fakeFleet(this.backend),
      actions: this.actions,
      leadership: { assertHeld: () => undefined },
      observer: {
        passed: ({ effects }) => {
          this.hasFailed ||= effects.some(({ kind }) => kind === 'failed');
        },
      },
      clock: this.clock,
      policy: testPolicy({ strategy: 'delete', ...(isBreakerOff && { breaker }) }),
      newFenceId: () => crypto.randomUUID(),
    });
  }

  /** Attachments that are left. */
  get left(): number {
    return this.#left;
  }

  /** Loses the first `count` nodes, NotReady for a minute. */
  lose(count: number): void {
    const readyObservedAtMs = this.clock.now() - 60_000;
    for (let index = 0; index < count; index++) {
      const node = nodeFact({ ...nodeAt(index), ready: false, readyObservedAtMs });
      this.#setNode(node);
      this.backend.setSilent(node.name, readyObservedAtMs + 15_000, readyObservedAtMs);
    }
  }

  /** Fences the first `count` nodes, so long ago that the fences are effective. */
  fence(count: number): void {
    const fencedAtMs = this.clock.now() - 30_000;
    for (let index = 0; index < count; index++) {
      const { name, uid, bootId } = nodeFact(nodeAt(index));
      const id = `fence-of-${name}`;
      const addresses = nodeAt(index).storageAddresses;
      this.backend.fences.set(id, {
        id,
        nodeName: name,
        nodeUid: uid,
        ...(bootId !== undefined && { bootId }),
        fencedAtMs,
        addresses,
        seenSinceMs: fencedAtMs,
      });
    }
  }

  /** The backend knows nothing of the node, so its attachments stay: every pass decides about the same ones. */
  holdAll(count: number): void {
    for (let index = 0; index < count; index++)
      this.backend.setUnknown(nodeAt(index).name, 'never-seen-live');
  }

  /** One VolumeAttachment of a healthy node is written, as a watch event. */
  churn(): void {
    const index = this.#attachments - 1 - (this.#churn++ % 100);
    this.cluster.setVolumeAttachment(this.#attachmentAt(index));
  }

  /** @param reason `periodic`: the pass is an audit, too */
  async run(reason: 'attachment-changed' | 'periodic' = 'attachment-changed'): Promise<void> {
    const context = { reasons: new Set([reason]), reconcileId: 'bench', wake: () => undefined };
    await this.#pass.run({ ...context, nowMs: this.clock.now() }, new AbortController().signal);
  }

  #setNode(node: NodeFact): void {
    this.cluster.setNode(node);
    this.actions.setNode(node);
  }

  #attachmentAt(index: number): ReturnType<typeof volumeAttachmentFact> {
    return volumeAttachmentFact({
      persistentVolumeName: `pv-${index}`,
      nodeName: `node-${index % this.#nodes}`,
    });
  }
}

function nodeAt(index: number): { readonly name: string; readonly storageAddresses: readonly string[] } {
  const address = `10.${index >> 16}.${(index >> 8) & 255}.${index & 255}`;
  return { name: `node-${index}`, storageAddresses: [address] };
}
