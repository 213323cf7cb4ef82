import { staleCacheReason } from '../model/cache-freshness.ts';
import type {
  CacheFreshness,
  NodeFact,
  PersistentVolumeFact,
  PodFact,
  VolumeAttachmentFact,
} from '../model/facts.ts';
import { hasOwnFencedTaint } from '../model/fenced-taint.ts';
import { isOutOfServiceByUs } from '../model/out-of-service.ts';
import type { Policy } from '../model/policy.ts';
import { ipAddresses } from '../model/storage-address.ts';
import type { StorageNode } from '../model/storage-query.ts';
import { storageIdentity } from '../model/storage-query.ts';
import type { StorageReading } from '../model/storage-reading.ts';
import type { ClusterReader, StorageFleet } from '../ports/ports.ts';
import type { StorageBackend } from '../ports/storage-backend.ts';
import type { AttachmentManager } from '../tracking/attachment-manager.ts';
import type { NodeAbsence } from './node-absence.ts';
import { NodeIndex } from './node-index.ts';

/** A Node as decisions see it. `sinceMs`: since when it has been lost, epoch ms. */
export type NodeState =
  | { readonly kind: 'ready'; readonly name: string; readonly node: NodeFact }
  /** Ready to Kubernetes, but its kubelet has stopped renewing its Lease. Only with early detection. */
  | {
      readonly kind: 'lease-stale';
      readonly name: string;
      readonly node: NodeFact;
      readonly sinceMs: number;
      readonly renewTime: string | undefined;
    }
  /** `node` is ready where it has returned in the middle of its release, which goes on. @see ReturnedNode */
  | { readonly kind: 'not-ready'; readonly name: string; readonly node: NodeFact; readonly sinceMs: number }
  | {
      readonly kind: 'gone';
      readonly name: string;
      readonly sinceMs: number;
      readonly lastSeen?: NodeFact;
    };

/** A node whose release had begun when it became ready again: which Node and boot of it was lost, and since when, epoch ms. */
export interface ReturnedNode {
  readonly uid: string | undefined;
  readonly bootId: string | undefined;
  readonly sinceMs: number;
}

/** A lost node as backends are asked about it, and where its addresses come from. */
export interface KnownNode extends StorageNode {
  /**
   * `node`: the Node object; `last-seen`: the Node object before it was deleted; `pods`: `hostIPs` of its pods, a fence or a
   * record, after the Node object was lost: they may be incomplete.
   */
  readonly addressesFrom: 'node' | 'last-seen' | 'pods';
}

/** Every state of a Node, for metrics. */
export const NODE_STATES: readonly NodeState['kind'][] = ['ready', 'lease-stale', 'not-ready', 'gone'];

/** A Node that is NotReady, gone, or no longer renews its Lease. */
export type LostNode = Exclude<NodeState, { readonly kind: 'ready' }>;

/** One VolumeAttachment with what is known about its volume. */
export interface AttachmentView {
  readonly attachment: VolumeAttachmentFact;
  /** Absent for an inline volume and for a volume the cache does not know. */
  readonly volume?: PersistentVolumeFact;
  /** The backend that holds the volume; absent when the volume is unknown or names a backend that is not configured. */
  readonly backend?: StorageBackend;
  /** End of the live migration the volume is in, epoch ms; in the past when it has timed out. */
  readonly migrationUntilMs?: number;
  /** KubeVirt is migrating a virtual machine that uses the volume. */
  readonly vmMigrating: boolean;
}

/**
 * Which attachments a view holds. `affected`: those on nodes that are lost or carry our out-of-service taint, and whatever else
 * holds the same volumes: all that a pass may act on.
 */
export type ViewScope = 'all' | 'affected';

/** All facts of one pass, read at one time. Immutable. */
export interface ClusterView {
  readonly cache: CacheFreshness;
  /** uid of Namespace `kube-system`; absent: not known. */
  readonly clusterId?: string;
  /** Those of our attacher: the view leaves out all others, and only `otherAttachers` counts them. */
  readonly attachments: readonly AttachmentView[];
  /** How many of ours the scope left out: all on nodes that are ready. Default 0. */
  readonly healthyCount?: number;
  /** Every Node that exists or that an attachment of ours names. */
  readonly nodes: ReadonlyMap<string, NodeState>;
  /** The lost nodes as the backends know them, by name. */
  readonly storageNodes: ReadonlyMap<string, KnownNode>;
  /** Nodes that carry our out-of-service taint and the first Pod, `namespace/name`, that still terminates there, if any. */
  readonly outOfService: ReadonlyMap<string, { readonly node: NodeFact; readonly terminatingPod?: string }>;
  /** Nodes that carry the taint by which we keep pods off a fenced node. */
  readonly withFencedTaint: readonly NodeFact[];
  /** Attachers other than ours that have a VolumeAttachment on a node, by node name. */
  readonly otherAttachers: ReadonlyMap<string, ReadonlySet<string>>;
  /** Nodes lost in the breaker's window, returned or not: name -> since when, epoch ms. */
  readonly recentLosses: ReadonlyMap<string, number>;
  /** Readings of this pass, by name of the backend; a backend that was not asked is missing. */
  readonly storage: ReadonlyMap<string, StorageReading>;
}

/** A view of the caches alone. */
export type UnreadView = Omit<ClusterView, 'recentLosses' | 'storage'>;

/** What a view is built from. */
export interface ViewSources {
  readonly cluster: ClusterReader;
  readonly manager: AttachmentManager;
  /** Since when Nodes have been missing; only read. */
  readonly absence: Pick<NodeAbsence, 'sinceMs'>;
  readonly fleet: StorageFleet;
  /** The release of the node that has begun; default: none. */
  readonly returnedNode?: (nodeName: string) => ReturnedNode | undefined;
  /** uid of Namespace `kube-system`; absent: not known. */
  readonly clusterId?: string | undefined;
  readonly policy: Pick<Policy, 'attacher' | 'earlyDetection' | 'maxCacheAgeMs'>;
}

/** What reading every Node and VolumeAttachment gives. Immutable. */
export interface ClusterScan {
  readonly nodes: ReadonlyMap<string, NodeState>;
  readonly otherAttachers: ReadonlyMap<string, ReadonlySet<string>>;
  /** The VolumeAttachments in the scope. */
  readonly inScope: readonly VolumeAttachmentFact[];
  /** How many of ours the scope left out. */
  readonly healthyCount: number;
  /** Nodes that carry a taint of ours. */
  readonly tainted: readonly string[];
}

/** Reads every Node and VolumeAttachment. Changes nothing. */
export function scanCluster(sources: ViewSources, nowMs: number, scope: ViewScope): ClusterScan {
  const { cluster, policy } = sources;
  const nodes = new Map<string, NodeState>();
  const tainted: string[] = [];
  for (const node of cluster.nodes()) {
    nodes.set(node.name, presentNode(node, sources, nowMs));
    if (hasOwnFencedTaint(node, policy.attacher) || isOutOfServiceByUs(node, policy.attacher))
      tainted.push(node.name);
  }
  const facts: VolumeAttachmentFact[] = [];
  const otherAttachers = new Map<string, Set<string>>();
  for (const attachment of cluster.volumeAttachments()) {
    const { attacher, nodeName } = attachment;
    if (attacher !== policy.attacher) {
      const others = otherAttachers.get(nodeName);
      if (others) others.add(attacher);
      else otherAttachers.set(nodeName, new Set([attacher]));
      continue;
    }
    facts.push(attachment);
    const state = nodes.has(nodeName)
      ? returnedState(nodes.get(nodeName), sources)
      : goneNode(nodeName, sources, nowMs);
    if (state) nodes.set(nodeName, state);
  }
  const inScope = scope === 'all' ? facts : affectedFacts(facts, nodes, policy.attacher);
  const healthyCount = facts.length - inScope.length;
  return { nodes, otherAttachers, inScope, healthyCount, tainted };
}

/** The same scan with the lost nodes as they are now: since when they are lost, and what is remembered of them. */
export function refreshScan(scan: ClusterScan, sources: ViewSources, nowMs: number): ClusterScan {
  const changed: NodeState[] = [];
  for (const before of NodeIndex.of(scan.nodes).lost) {
    const now =
      before.kind === 'gone'
        ? goneNode(before.name, sources, nowMs)
        : presentNode(before.node, sources, nowMs);
    if (!isSameState(before, now)) changed.push(now);
  }
  if (changed.length === 0) return scan;
  const nodes = new Map(scan.nodes);
  for (const state of changed) nodes.set(state.name, state);
  return { ...scan, nodes };
}

/** Both are of one Node in one state of the cache. */
function isSameState(left: NodeState, right: NodeState): boolean {
  if (left.kind === 'gone' && right.kind === 'gone')
    return left.sinceMs === right.sinceMs && left.lastSeen === right.lastSeen;
  if (left.kind === 'not-ready' && right.kind === 'not-ready')
    return left.sinceMs === right.sinceMs && left.node === right.node;
  return false;
}

/** Reads the caches into a view. Changes nothing, sends no request and does not wait. */
export function readClusterView(sources: ViewSources, nowMs: number, scope: ViewScope = 'all'): UnreadView {
  return viewOf(scanCluster(sources, nowMs, scope), sources);
}

/** The view of a scan, with what is known of its volumes and pods now. */
export function viewOf(
  { nodes, otherAttachers, inScope, healthyCount, tainted }: ClusterScan,
  sources: ViewSources,
): UnreadView {
  const { cluster, policy } = sources;
  const attachments = inScope.map((attachment) => attachmentView(attachment, sources));
  const storageNodes = new Map<string, KnownNode>();
  const outOfService = new Map<string, { readonly node: NodeFact; readonly terminatingPod?: string }>();
  const withFencedTaint: NodeFact[] = [];
  for (const state of NodeIndex.of(nodes).lost) storageNodes.set(state.name, storageNodeOf(state, cluster));
  for (const name of tainted) {
    const state = nodes.get(name);
    if (!state || state.kind === 'gone') continue;
    const { node } = state;
    if (hasOwnFencedTaint(node, policy.attacher)) withFencedTaint.push(node);
    if (!isOutOfServiceByUs(node, policy.attacher)) continue;
    const pod = terminatingPod(cluster.podsOnNode(name));
    outOfService.set(name, { node, ...(pod !== undefined && { terminatingPod: pod }) });
  }
  return {
    cache: cluster.freshness(),
    ...(sources.clusterId !== undefined && { clusterId: sources.clusterId }),
    attachments,
    healthyCount,
    nodes,
    storageNodes,
    outOfService,
    withFencedTaint,
    otherAttachers,
  };
}

/** Of 10,000 attachments of healthy nodes nothing is looked up and nothing kept: passes are for the others. */
function affectedFacts(
  facts: readonly VolumeAttachmentFact[],
  nodes: ReadonlyMap<string, NodeState>,
  attacher: string,
): readonly VolumeAttachmentFact[] {
  const names = new Set<string>();
  for (const state of nodes.values()) {
    if (state.kind !== 'ready' || isOutOfServiceByUs(state.node, attacher)) names.add(state.name);
  }
  if (names.size === 0) return [];
  const volumes = new Set<string | undefined>();
  for (const { nodeName, persistentVolumeName } of facts) {
    if (names.has(nodeName)) volumes.add(persistentVolumeName);
  }
  volumes.delete(undefined);
  return facts.filter(
    ({ nodeName, persistentVolumeName }) => names.has(nodeName) || volumes.has(persistentVolumeName),
  );
}

function terminatingPod(pods: Iterable<PodFact>): string | undefined {
  for (const { deletingSinceMs, namespace, name } of pods) {
    if (deletingSinceMs !== undefined) return `${namespace}/${name}`;
  }
  return undefined;
}

function attachmentView(
  attachment: VolumeAttachmentFact,
  { cluster, manager, fleet }: ViewSources,
): AttachmentView {
  const name = attachment.persistentVolumeName;
  const volume = name === undefined ? undefined : cluster.persistentVolume(name);
  if (!volume) return { attachment, vmMigrating: false };
  const { volumeHandle, claim } = volume;
  const migration = volumeHandle === undefined ? undefined : manager.getAttachment(volumeHandle)?.migration;
  const backend = fleet.backendOf(volume);
  return {
    attachment,
    volume,
    ...(backend && { backend }),
    ...(migration && { migrationUntilMs: migration.startedAtMs + migration.timeoutMs }),
    vmMigrating: claim !== undefined && cluster.isClaimMigrating(claim.namespace, claim.name),
  };
}

function presentNode(node: NodeFact, { cluster, absence, policy }: ViewSources, nowMs: number): NodeState {
  const { name } = node;
  if (!node.ready) {
    // By our own clock alone: `lastTransitionTime` is that of another machine, which may be minutes off.
    const observedAtMs = node.readyObservedAtMs ?? absence.sinceMs(name) ?? nowMs;
    return { kind: 'not-ready', name, node, sinceMs: Math.min(observedAtMs, nowMs) };
  }
  const { enabled, leaseStaleMs } = policy.earlyDetection;
  const lease = enabled ? cluster.nodeLease(name) : undefined;
  // Measured up to where the Lease cache is known to be current: a watch that died makes no node suspect.
  const knownUntilMs = Math.min(cluster.leasesFreshAsOfMs() ?? 0, nowMs);
  if (!lease || knownUntilMs - lease.observedAtMs <= leaseStaleMs) return { kind: 'ready', name, node };
  const sinceMs = lease.observedAtMs + leaseStaleMs;
  return { kind: 'lease-stale', name, node, sinceMs, renewTime: lease.renewTime };
}

/** A node that is ready again in the boot of its loss stays lost to the release that has begun, until nothing is left on it. */
function returnedState(
  state: NodeState | undefined,
  { returnedNode }: Pick<ViewSources, 'returnedNode'>,
): NodeState | undefined {
  if (state?.kind !== 'ready') return undefined;
  const { name, node } = state;
  const lost = returnedNode?.(name);
  const isSame = lost?.bootId !== undefined && lost.bootId === node.bootId && lost.uid === node.uid;
  return isSame ? { kind: 'not-ready', name, node, sinceMs: lost.sinceMs } : undefined;
}

/** Missing from a cache that is not current proves nothing: the absence then counts from now, again and again. */
function goneNode(name: string, { cluster, absence, policy }: ViewSources, nowMs: number): NodeState {
  const lastSeen = cluster.lastSeenNode(name);
  const isCurrent = staleCacheReason(cluster.freshness(), policy.maxCacheAgeMs, nowMs) === undefined;
  const sinceMs = (isCurrent ? absence.sinceMs(name) : undefined) ?? nowMs;
  return { kind: 'gone', name, sinceMs, ...(lastSeen && { lastSeen }) };
}

/** The Node object, also of a gone node while it is remembered. */
export function nodeFactOf(state: NodeState): NodeFact | undefined {
  return state.kind === 'gone' ? state.lastSeen : state.node;
}

/**
 * The addresses by which the backend knows a node. A Node object that is gone and forgotten (we were restarted) leaves the
 * addresses its kubelet wrote on its pods; they may be incomplete, which `addressesFrom` says.
 */
function storageNodeOf(state: NodeState, cluster: ClusterReader): KnownNode {
  const { name } = state;
  const fact = nodeFactOf(state);
  if (fact) {
    const addressesFrom = state.kind === 'gone' ? 'last-seen' : 'node';
    const identity = storageIdentity(fact);
    // A node with an address that cannot be read could still write through it, so the backend cannot prove it silent.
    const isReadable = fact.unreadableAddresses === undefined;
    return { ...identity, addresses: isReadable ? identity.addresses : [], addressesFrom };
  }
  const addresses = new Set([...cluster.podsOnNode(name)].flatMap((pod) => pod.hostAddresses));
  return { name, addresses: ipAddresses(addresses), addressesFrom: 'pods' };
}
