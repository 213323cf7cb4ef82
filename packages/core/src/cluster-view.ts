import type { AttachmentManager } from './attachment-manager.ts';
import type {
  CacheFreshness,
  NodeFact,
  PersistentVolumeFact,
  StorageReading,
  VolumeAttachmentFact,
} from './facts.ts';
import type { NodeAbsence } from './node-absence.ts';
import type { ClusterReader, StorageNode } from './ports.ts';

/** A Node as decisions see it. `sinceMs`: since when it has been lost, epoch ms. */
export type NodeState =
  | { readonly kind: 'ready'; readonly name: string; readonly node: NodeFact }
  | { readonly kind: 'not-ready'; readonly name: string; readonly node: NodeFact; readonly sinceMs: number }
  | {
      readonly kind: 'gone';
      readonly name: string;
      readonly sinceMs: number;
      readonly lastSeen?: NodeFact;
    };

/** A Node that is NotReady or gone. */
export type LostNode = Exclude<NodeState, { readonly kind: 'ready' }>;

/** One VolumeAttachment with what is known about its volume. */
export interface AttachmentView {
  readonly attachment: VolumeAttachmentFact;
  /** Absent for an inline volume and for a volume the cache does not know. */
  readonly volume?: PersistentVolumeFact;
  /** End of the live migration the volume is in, epoch ms; in the past when it has timed out. */
  readonly migrationUntilMs?: number;
}

/** All facts of one pass, read at one time. Immutable. */
export interface ClusterView {
  readonly cache: CacheFreshness;
  readonly attachments: readonly AttachmentView[];
  /** Every Node that exists or that an attachment of ours names. */
  readonly nodes: ReadonlyMap<string, NodeState>;
  /** Nodes lost in the breaker's window, returned or not: name -> since when, epoch ms. */
  readonly recentLosses: ReadonlyMap<string, number>;
  /** The box, read in this pass; absent when nothing was suspect. */
  readonly storage?: StorageReading;
}

/** What a view is built from. */
export interface ViewSources {
  readonly cluster: ClusterReader;
  readonly manager: AttachmentManager;
  readonly absence: NodeAbsence;
  readonly attacher: string;
}

/** Reads the caches into a view; asks nobody and waits for nothing. */
export function readClusterView(
  { cluster, manager, absence, attacher }: ViewSources,
  nowMs: number,
): Omit<ClusterView, 'recentLosses' | 'storage'> {
  const attachments: AttachmentView[] = [];
  const nodes = new Map<string, NodeState>();
  for (const node of cluster.nodes()) {
    if (node.ready) absence.forget(node.name);
    nodes.set(node.name, presentNode(node, absence, nowMs));
  }
  const missing = new Set<string>();
  for (const attachment of cluster.volumeAttachments()) {
    const name = attachment.persistentVolumeName;
    const volume = name === undefined ? undefined : cluster.persistentVolume(name);
    const migration =
      volume?.volumeHandle === undefined ? undefined : manager.getAttachment(volume.volumeHandle)?.migration;
    attachments.push({
      attachment,
      ...(volume && { volume }),
      ...(migration && { migrationUntilMs: migration.startedAtMs + migration.timeoutMs }),
    });
    if (attachment.attacher === attacher && !nodes.has(attachment.nodeName)) missing.add(attachment.nodeName);
  }
  for (const name of missing) {
    const lastSeen = cluster.lastSeenNode(name);
    nodes.set(name, {
      kind: 'gone',
      name,
      sinceMs: absence.note(name, nowMs),
      ...(lastSeen && { lastSeen }),
    });
  }
  absence.retainOnly(new Set(nodes.keys()));
  return { cache: cluster.freshness(), attachments, nodes };
}

/** A NotReady Node without a transition time is lost since we first saw it so. A time in the future counts as now. */
function presentNode(node: NodeFact, absence: NodeAbsence, nowMs: number): NodeState {
  if (node.ready) return { kind: 'ready', name: node.name, node };
  const sinceMs = Math.min(node.readyChangedAtMs ?? absence.note(node.name, nowMs), nowMs);
  return { kind: 'not-ready', name: node.name, node, sinceMs };
}

/** Lost nodes that hold an attachment of ours: the only ones the box is asked about. */
export function suspectsOf(view: Pick<ClusterView, 'attachments' | 'nodes'>, attacher: string): LostNode[] {
  const suspects = new Map<string, LostNode>();
  for (const { attachment } of view.attachments) {
    const node = view.nodes.get(attachment.nodeName);
    if (attachment.attacher === attacher && node && node.kind !== 'ready') suspects.set(node.name, node);
  }
  return [...suspects.values()];
}

/**
 * The addresses by which the box knows a node. A Node object that is gone and forgotten (we were restarted) leaves the
 * addresses its kubelet wrote on its pods; they may be incomplete, which `addressesFrom` says.
 */
export function storageNodeOf(state: NodeState, cluster: ClusterReader): StorageNode {
  if (state.kind !== 'gone') {
    return { name: state.name, addresses: state.node.storageAddresses, addressesFrom: 'node' };
  }
  if (state.lastSeen) {
    return { name: state.name, addresses: state.lastSeen.storageAddresses, addressesFrom: 'last-seen' };
  }
  const addresses = new Set([...cluster.podsOnNode(state.name)].flatMap((pod) => pod.hostAddresses));
  return { name: state.name, addresses: [...addresses], addressesFrom: 'pods' };
}
