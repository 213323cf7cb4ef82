import type { StorageReading } from '../model/facts.ts';
import type { StorageNode, StorageQuery } from '../ports/ports.ts';
import type { AttachmentView, ClusterView, UnreadView } from './cluster-view.ts';

/** A Node nobody remembers, whose pods are gone too, is still known to the backend by the fence that we put there. */
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
export function withAddresses(node: StorageNode, addresses: readonly string[]): StorageNode {
  return { ...node, addresses: [...new Set([...node.addresses, ...addresses])] };
}

/** Our attachments on lost nodes. */
export function lostIn({ attachments, storageNodes }: UnreadView, attacher: string): AttachmentView[] {
  return attachments.filter(
    ({ attachment }) => attachment.attacher === attacher && storageNodes.has(attachment.nodeName),
  );
}

/** What a backend is asked about the attachments of lost nodes that it holds. */
export function queryAbout(view: UnreadView, lost: readonly AttachmentView[]): StorageQuery {
  return { ...split(view, lost), volumes: volumesOf(lost) };
}

/** Lost nodes that hold an attachment at the backend are its suspects; all others account for sessions. */
function split(
  view: UnreadView,
  lost: readonly AttachmentView[],
): { readonly suspects: StorageNode[]; readonly peers: StorageNode[] } {
  const names = new Set(lost.map(({ attachment }) => attachment.nodeName));
  const suspects: StorageNode[] = [];
  const peers: StorageNode[] = [];
  for (const state of view.nodes.values()) {
    const known = view.storageNodes.get(state.name);
    if (known && names.has(state.name)) suspects.push(known);
    else if (known) peers.push(known);
    else if (state.kind === 'ready') {
      peers.push({ name: state.name, addresses: state.node.storageAddresses, addressesFrom: 'node' });
    }
  }
  return { suspects, peers };
}

function volumesOf(lost: readonly AttachmentView[]) {
  return lost.flatMap(({ volume }) =>
    volume?.volumeHandle === undefined
      ? []
      : [{ volumeHandle: volume.volumeHandle, volumeAttributes: volume.volumeAttributes }],
  );
}
