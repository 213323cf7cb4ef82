import type { VolumeAttachmentFact } from '../model/facts.ts';
import type { FenceRecord } from '../model/fence-record.ts';
import { type NodeState, nodeFactOf, type ReturnedNode, type UnreadView } from '../view/cluster-view.ts';

/** A lost node, or one that is fenced since its loss. */
interface Progress {
  readonly nodeName: string;
  readonly uid: string | undefined;
  readonly bootId: string | undefined;
  readonly sinceMs: number;
  /** Every attachment of ours that was on it since the loss, by uid. */
  readonly attachments: Map<string, VolumeAttachmentFact>;
  /** Fences that were made for this loss. */
  readonly fenceIds: Set<string>;
  /** A pod was deleted, or a detach requested. */
  isReleasing: boolean;
  /** A volume has left it. */
  hasLeft: boolean;
}

/**
 * How far the release of each lost node has come: a node that returns is let back as it is only while nothing was taken from it.
 * A restart or another term of leadership loses it; then only a boot or an operator proves that a fenced node is clean.
 */
export class ReleaseProgress {
  readonly #byNode = new Map<string, Progress>();

  /** @param attachments every VolumeAttachment of ours; called only while a node that is tracked is outside the view's scope */
  recordView(view: UnreadView, attachments: () => Iterable<VolumeAttachmentFact>): void {
    if (view.storageNodes.size + this.#byNode.size === 0) return;
    const tracked = new Set([...view.storageNodes.keys(), ...this.#byNode.keys()]);
    for (const name of tracked) {
      const state = view.nodes.get(name);
      if (state) this.#recordNode(state);
    }
    const isInScope = [...this.#byNode.keys()].every((name) => view.storageNodes.has(name));
    const facts = isInScope ? view.attachments.map(({ attachment }) => attachment) : [...attachments()];
    const present = new Map(facts.map((each) => [each.uid, each]));
    for (const attachment of present.values())
      this.#byNode.get(attachment.nodeName)?.attachments.set(attachment.uid, attachment);
    for (const progress of this.#byNode.values()) {
      const isGone = ({ uid }: VolumeAttachmentFact) =>
        present.get(uid)?.deletingSinceMs !== undefined || !present.has(uid);
      if ([...progress.attachments.values()].some(isGone)) progress.hasLeft = true;
    }
  }

  #recordNode(state: NodeState): void {
    const known = this.#byNode.get(state.name);
    const fact = nodeFactOf(state);
    const isSame = known?.uid === fact?.uid && known?.bootId === fact?.bootId;
    const isKept =
      known && isSame && (state.kind !== 'ready' || known.fenceIds.size > 0 || known.isReleasing);
    if (isKept) return;
    this.#byNode.delete(state.name);
    if (state.kind === 'ready') return;
    this.#byNode.set(state.name, {
      nodeName: state.name,
      uid: fact?.uid,
      bootId: fact?.bootId,
      sinceMs: state.sinceMs,
      attachments: new Map(),
      fenceIds: new Set(),
      isReleasing: false,
      hasLeft: false,
    });
  }

  fenced({ nodeName, id, bootId }: FenceRecord): void {
    const progress = this.#byNode.get(nodeName);
    if (progress && progress.bootId === bootId) progress.fenceIds.add(id);
  }

  unfenced({ nodeName, id }: FenceRecord): void {
    const progress = this.#byNode.get(nodeName);
    progress?.fenceIds.delete(id);
    if (progress?.fenceIds.size === 0) this.#byNode.delete(nodeName);
  }

  /** A pod of the node is about to be deleted, or one of its volumes to be detached. */
  beginRelease(nodeName: string): void {
    const progress = this.#byNode.get(nodeName);
    if (progress) progress.isReleasing = true;
  }

  /** The attachments of each fence whose node nothing was taken from, by id of the fence. */
  get untouched(): ReadonlyMap<string, readonly VolumeAttachmentFact[]> {
    const untouched = [...this.#byNode.values()].filter(
      ({ isReleasing, hasLeft, bootId }) => !isReleasing && !hasLeft && bootId !== undefined,
    );
    return new Map(
      untouched.flatMap(({ fenceIds, attachments }) =>
        [...fenceIds].map((id) => [id, [...attachments.values()]] as const),
      ),
    );
  }

  /** The node whose release has begun, as it was then; `undefined`: it has not. */
  returnedNode(nodeName: string): ReturnedNode | undefined {
    const progress = this.#byNode.get(nodeName);
    return progress?.isReleasing ? progress : undefined;
  }

  /** The release of some node has begun, so `returnedNode()` may return one. */
  get hasBegun(): boolean {
    return [...this.#byNode.values()].some(({ isReleasing }) => isReleasing);
  }

  clear(): void {
    this.#byNode.clear();
  }
}
