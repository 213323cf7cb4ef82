import type { NodeFact } from './facts.ts';
import { ipAddresses, type StorageAddress } from './storage-address.ts';

/** A node as storage backends are asked about it: by identity, since a name is not a machine. */
export interface StorageNode {
  readonly name: string;
  /** uid of the Node object; absent when the object is gone and nothing recorded it. */
  readonly uid?: string;
  /** @see NodeFact.machineId */
  readonly machineId?: string;
  /** `status.nodeInfo.bootID`: names one boot of the machine. */
  readonly bootId?: string;
  /** Every name by which a backend may know the node. Empty: none is known. */
  readonly addresses: readonly StorageAddress[];
}

/** A volume that a suspect has attached. */
export interface StorageVolume {
  readonly volumeHandle: string;
  /** `spec.csi.volumeAttributes`: how the CSI driver names the volume at the backend. */
  readonly volumeAttributes: Readonly<Record<string, string>>;
  /** No other node may write to it, so every write to it comes from this node. */
  readonly singleWriter: boolean;
}

/** A node that may be dead, with its volumes at the backend. */
export interface StorageSuspect extends StorageNode {
  readonly volumes: readonly StorageVolume[];
}

/** What one reading of a backend must answer. */
export interface StorageQuery {
  /** uid of Namespace `kube-system`. A fence of another cluster proves nothing; absent: not known. */
  readonly clusterId?: string;
  /** The attacher whose fences are ours. */
  readonly owner?: string;
  readonly suspects: readonly StorageSuspect[];
  /** All other nodes: they account for live sessions. */
  readonly peers: readonly StorageNode[];
}

/** A query about nothing: what the backend says about itself. */
export const EMPTY_QUERY: StorageQuery = { suspects: [], peers: [] };

/** A Node object as backends are asked about it. */
export function storageIdentity(node: NodeFact): StorageNode {
  const { name, uid, machineId, bootId, storageAddresses } = node;
  return {
    name,
    uid,
    ...(machineId !== undefined && { machineId }),
    ...(bootId !== undefined && { bootId }),
    addresses: ipAddresses(storageAddresses),
  };
}
