import type {
  CacheFreshness,
  NodeFact,
  NodeLeaseFact,
  ObjectRef,
  PersistentVolumeFact,
  PodFact,
  VolumeAttachmentFact,
} from '../model/facts.ts';
import type { StorageBackend } from './storage-backend.ts';

/** Read-only view of Nodes. An embedding driver implements it over its own informer or a live GET. */
export interface NodeLister {
  /** @returns the Node, or `undefined` when it surely does not exist. @throws when that is not known. */
  getNode(name: string, signal: AbortSignal): Promise<NodeFact | undefined>;
}

/** Each changes whenever an object of its kind is added, changed or deleted in the cache, also by a relist. */
export interface CacheRevisions {
  readonly nodes: number;
  readonly volumeAttachments: number;
  readonly persistentVolumes: number;
}

/** Cached, synchronous view of the cluster. Absence counts only while `freshness()` is good. */
export interface ClusterReader {
  freshness(): CacheFreshness;
  /** While they stay the same, a pass reads lost nodes only. Absent: every pass reads everything. */
  revisions?(): CacheRevisions;
  node(name: string): NodeFact | undefined;
  nodes(): Iterable<NodeFact>;
  /** The last state seen of a Node that has since been deleted, while this process remembers it. */
  lastSeenNode(name: string): NodeFact | undefined;
  volumeAttachments(): Iterable<VolumeAttachmentFact>;
  persistentVolume(name: string): PersistentVolumeFact | undefined;
  /** The PersistentVolumes bound to a claim, of every driver. Empty: the claim is unknown or not bound. */
  persistentVolumesOfClaim(namespace: string, claimName: string): Iterable<PersistentVolumeFact>;
  podsOnNode(nodeName: string): Iterable<PodFact>;
  /** Absent: none was seen, or Leases are not watched. */
  nodeLease(nodeName: string): NodeLeaseFact | undefined;
  /** Last moment the Lease cache was known to equal the API server, epoch ms; absent when Leases are not watched. */
  leasesFreshAsOfMs(): number | undefined;
  /** A KubeVirt live migration of a virtual machine that uses this claim is running. `false` without KubeVirt. */
  isClaimMigrating(namespace: string, claimName: string): boolean;
}

/** Every storage backend there is, and which one holds a volume. One sick backend never affects decisions about another. */
export interface StorageFleet {
  readonly backends: readonly StorageBackend[];
  /** `undefined`: the volume names a backend that is not configured, so no backend can be asked. */
  backendOf(volume: PersistentVolumeFact): StorageBackend | undefined;
}

/** What a live GET at the API server says about a Node. */
export type LiveNode = { readonly kind: 'gone' } | { readonly kind: 'present'; readonly node: NodeFact };

/** What became of a delete with a uid precondition. `gone` and `replaced` are facts, not failures. */
export type DeleteResult = 'deleted' | 'gone' | 'replaced';

/** What became of a conditional change: made, or not needed any more. `gone` and `replaced` are facts, not failures. */
export type ChangeResult = 'changed' | 'unchanged' | 'gone' | 'replaced';

/** Everything that changes the cluster. Each write confirms its object live and carries a uid precondition. */
export interface ClusterActions {
  /** Live GET, past every cache. */
  getNode(name: string, signal: AbortSignal): Promise<LiveNode>;
  /** Live GET of a kubelet's Lease: its `renewTime`, `undefined` when it does not exist. */
  getNodeLeaseRenewTime(nodeName: string, signal: AbortSignal): Promise<string | undefined>;
  /** Live GET: the very VolumeAttachment exists and is not being deleted. */
  isAttached(attachment: VolumeAttachmentFact, signal: AbortSignal): Promise<boolean>;
  /** Deletes with `gracePeriodSeconds: 0`. `replaced` when another pod has the name now. */
  forceDeletePod(pod: PodFact, signal: AbortSignal): Promise<DeleteResult>;
  /** Deletes the VolumeAttachment; its finalizers are never touched. */
  deleteVolumeAttachment(attachment: VolumeAttachmentFact, signal: AbortSignal): Promise<DeleteResult>;
  /** Takes `kubernetes.io/csi/<attacher>^<handle>` of these volumes, and nothing else, out of `status.volumesInUse`. */
  removeVolumesInUse(
    node: NodeFact,
    attacher: string,
    volumeHandles: readonly string[],
    signal: AbortSignal,
  ): Promise<ChangeResult>;
  /** Adds `node.kubernetes.io/out-of-service=<attacher>:NoExecute` and records the Node's bootID beside it. */
  addOutOfServiceTaint(node: NodeFact, signal: AbortSignal): Promise<ChangeResult>;
  /** Removes that taint and record, if they are of this attacher. `replaced`: the Node is another machine or boot now. */
  removeOutOfServiceTaint(node: NodeFact, signal: AbortSignal): Promise<ChangeResult>;
  /** Adds `reattach.srvlab.io/fenced=<attacher>:NoSchedule`, also to a Node that is Ready. `unchanged`: one is there, of whichever owner. */
  addFencedTaint(node: NodeFact, signal: AbortSignal): Promise<ChangeResult>;
  /** Removes that taint if it is of this attacher. `replaced`: as above, or the Node is no longer Ready. */
  removeFencedTaint(node: NodeFact, signal: AbortSignal): Promise<ChangeResult>;
}

/** What is known of a deleted Node when its release begins. */
export interface LostNodeRecord {
  /** Its storage addresses. */
  readonly addresses: readonly string[];
  /** uids of its VolumeAttachments of ours: the record is about these, not about another Node of the name. */
  readonly attachmentUids: readonly string[];
}

/**
 * Keeps what nothing else in the cluster knows once a deleted Node's pods are gone, too: without its addresses a successor of
 * this process could not tell whether the node is silent.
 */
export interface LostNodeRecords {
  /** Idempotent. @throws when it could not be written: nothing of the node may be deleted then. */
  write(nodeName: string, record: LostNodeRecord, signal: AbortSignal): Promise<void>;
  /** All of them by node name, past every cache; none when they could not be read, which is logged. Rejects only with `signal.reason`. */
  read(signal: AbortSignal): Promise<ReadonlyMap<string, LostNodeRecord>>;
}

/** The right to write, held by one of several replicas. */
export interface Leadership {
  /**
   * Passes only while no other replica can hold the right for at least the longest single write.
   * @throws when the right is not, or no longer surely, ours; nothing was written.
   */
  assertHeld(): void;
}

/** Event reasons, as seen by `kubectl get events`. */
export const EVENT_REASONS = [
  'StaleAttachmentReleased',
  'ReleaseHeld',
  'NodeFenced',
  'NodeUnfenced',
  'NodeAddressFenced',
  'NodeConfirmedOff',
  'PodNotRescheduled',
  'StorageDisconnected',
  'StorageReconnected',
  'StartupReconciliation',
] as const;

/** @see EVENT_REASONS */
export type EventReason = (typeof EVENT_REASONS)[number];

/** Something an operator should find with `kubectl describe`. */
export interface ClusterEvent {
  readonly type: 'Normal' | 'Warning';
  readonly reason: EventReason;
  readonly message: string;
  readonly regarding: ObjectRef & { readonly kind: 'PersistentVolumeClaim' | 'Node' | 'Pod' };
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
