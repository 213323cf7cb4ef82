import type {
  CacheFreshness,
  NodeFact,
  ObjectRef,
  PersistentVolumeFact,
  PodFact,
  StorageReading,
  VolumeAttachmentFact,
} from './facts.ts';

/** Read-only view of Nodes. An embedding driver implements it over its own informer or a live GET. */
export interface NodeLister {
  /** @returns the Node, or `undefined` when it surely does not exist. @throws when that cannot be told. */
  getNode(name: string, signal: AbortSignal): Promise<NodeFact | undefined>;
}

/** Cached, synchronous view of the cluster. Absence counts only while `freshness()` is good. */
export interface ClusterReader {
  freshness(): CacheFreshness;
  node(name: string): NodeFact | undefined;
  nodes(): Iterable<NodeFact>;
  /** The last state seen of a Node that has since been deleted, while this process remembers it. */
  lastSeenNode(name: string): NodeFact | undefined;
  volumeAttachments(): Iterable<VolumeAttachmentFact>;
  persistentVolume(name: string): PersistentVolumeFact | undefined;
  podsOnNode(nodeName: string): Iterable<PodFact>;
}

/** A node the storage is asked about. */
export interface StorageNode {
  readonly name: string;
  readonly addresses: readonly string[];
  /**
   * `node`: from the Node object. `last-seen`: from the Node object before it was deleted.
   * `pods`: from `hostIPs` of its pods, after the Node object was lost; may be incomplete, so a live session nobody
   * else accounts for makes the answer `unknown`.
   */
  readonly addressesFrom: 'node' | 'last-seen' | 'pods';
}

/** The storage box as a witness. */
export interface StoragePort {
  /**
   * Reads the box once and says for each suspect whether it still talks to it. `others` are the remaining nodes: they
   * account for live sessions. A box problem is `unknown` evidence, never a rejection; rejects only with `signal.reason`.
   */
  observe(
    suspects: readonly StorageNode[],
    others: readonly StorageNode[],
    signal: AbortSignal,
  ): Promise<StorageReading>;
}

/** What a live look at the API server says about a Node. */
export type LiveNode = { readonly kind: 'gone' } | { readonly kind: 'present'; readonly node: NodeFact };

/** What became of a delete with a uid precondition. `gone` and `replaced` are facts, not failures. */
export type DeleteResult = 'deleted' | 'gone' | 'replaced';

/** Everything that changes the cluster. Each delete confirms the object live and carries a uid precondition. */
export interface ClusterActions {
  /** Live GET, past every cache. */
  getNode(name: string, signal: AbortSignal): Promise<LiveNode>;
  /** Deletes with `gracePeriodSeconds: 0`. `replaced` when another pod has the name now. */
  forceDeletePod(pod: PodFact, signal: AbortSignal): Promise<DeleteResult>;
  /** Deletes the VolumeAttachment; its finalizers are never touched. */
  deleteVolumeAttachment(attachment: VolumeAttachmentFact, signal: AbortSignal): Promise<DeleteResult>;
}

/** Event reasons, as seen by `kubectl get events`. */
export type EventReason = 'StaleAttachmentReleased' | 'ReleaseHeld';

/** Something an operator should find with `kubectl describe`. */
export interface ClusterEvent {
  readonly type: 'Normal' | 'Warning';
  readonly reason: EventReason;
  readonly message: string;
  readonly regarding: ObjectRef & { readonly kind: 'PersistentVolumeClaim' | 'Node' };
}

/** Publishes Events. Rate-limited: a repeated event becomes a count, never a flood. */
export interface EventRecorder {
  /** Never rejects: an Event that could not be written is logged and dropped. */
  record(event: ClusterEvent, signal: AbortSignal): Promise<void>;
}

/** Optional, informational record of an attachment on its PersistentVolume. Never read back. */
export interface AttachmentStore {
  /** Writes `rds.csi.srvlab.io/attached-node` and `.../attached-at`. */
  setAttached(
    volumeHandle: string,
    nodeName: string,
    attachedAtMs: number,
    signal: AbortSignal,
  ): Promise<void>;
  clearAttached(volumeHandle: string, signal: AbortSignal): Promise<void>;
}
