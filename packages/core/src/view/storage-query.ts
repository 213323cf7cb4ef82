import { type StorageAddress, unionOfAddresses } from '../model/storage-address.ts';
import {
  type StorageNode,
  type StorageQuery,
  type StorageSuspect,
  type StorageVolume,
} from '../model/storage-query.ts';
import type { StorageReading } from '../model/storage-reading.ts';
import type { AttachmentView, ClusterView, KnownNode, UnreadView } from './cluster-view.ts';
import { NodeIndex } from './node-index.ts';

/** Adds the addresses of fences. A Node that no cache knows and whose pods are gone is still named by the fence that we made. */
export function withFencedAddresses(
  storageNodes: ClusterView['storageNodes'],
  reading: StorageReading | undefined,
): ClusterView['storageNodes'] {
  const nodes = new Map(storageNodes);
  for (const { nodeName, addresses } of reading?.fences ?? []) {
    const node = nodes.get(nodeName);
    if (node?.addressesFrom !== 'pods') continue;
    nodes.set(nodeName, withAddresses(node, addresses));
  }
  return nodes;
}

/** They are added to those that are known. */
export function withAddresses(node: KnownNode, addresses: readonly StorageAddress[]): KnownNode {
  return { ...node, addresses: unionOfAddresses(node.addresses, addresses) };
}

/** Our attachments on lost nodes. */
export function lostIn({ attachments, storageNodes }: UnreadView): AttachmentView[] {
  return attachments.filter(({ attachment }) => storageNodes.has(attachment.nodeName));
}

/**
 * What a backend is asked about the attachments of lost nodes that it holds: those nodes are its suspects; all others account
 * for sessions.
 */
export function queryAbout(view: UnreadView, lost: readonly AttachmentView[], owner: string): StorageQuery {
  const volumes = volumesByNode(view, lost);
  const suspects: StorageSuspect[] = [];
  const peers: StorageNode[] = [];
  for (const known of view.storageNodes.values()) {
    const own = volumes.get(known.name);
    if (own) suspects.push({ ...known, volumes: own });
    else peers.push(known);
  }
  const { readyPeers } = NodeIndex.of(view.nodes);
  return { clusterId: view.clusterId, owner, suspects, peers: [...peers, ...readyPeers] };
}

/** Volumes of lost nodes by node name; a node whose volumes are all unknown has none. */
function volumesByNode(
  { attachments }: UnreadView,
  lost: readonly AttachmentView[],
): ReadonlyMap<string, readonly StorageVolume[]> {
  const holders = new Map<string, number>();
  for (const { volume } of attachments)
    if (volume) holders.set(volume.name, (holders.get(volume.name) ?? 0) + 1);
  const byNode = new Map<string, StorageVolume[]>();
  for (const { attachment, volume } of lost) {
    const volumes = byNode.get(attachment.nodeName) ?? [];
    byNode.set(attachment.nodeName, volumes);
    if (volume?.volumeHandle === undefined) continue;
    const { volumeHandle, volumeAttributes, accessModes, name } = volume;
    const isShared = accessModes.includes('ReadWriteMany') && (holders.get(name) ?? 0) > 1;
    volumes.push({ volumeHandle, volumeAttributes, singleWriter: !isShared });
  }
  return byNode;
}
