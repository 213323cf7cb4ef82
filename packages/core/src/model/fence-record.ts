import type { StorageAddress } from './storage-address.ts';
import type { StorageNode, StorageQuery } from './storage-query.ts';

/**
 * Who was fenced, by whom and when: what proves later that the fence may be lifted. A new loss gets a new record, also when
 * its addresses are fenced already.
 */
export interface FenceRecord {
  /** 8 hexadecimal digits; unique per backend. An operator's `reattach.srvlab.io/clean` annotation repeats it. */
  readonly id: string;
  /** uid of Namespace `kube-system` of the cluster that fenced; absent: not known. */
  readonly clusterId?: string;
  /** Attacher whose controller fenced; absent: not known. */
  readonly owner?: string;
  readonly nodeName: string;
  readonly nodeUid?: string;
  /** @see StorageNode.machineId */
  readonly machineId?: string;
  /** bootID of the live Node when it was fenced: only another one of the same machine proves a reboot. */
  readonly bootId?: string;
  readonly addresses: readonly StorageAddress[];
  /** By the clock of the controller that fenced, epoch ms. */
  readonly fencedAtMs: number;
}

/** A fence as read back from the backend. */
export interface Fence extends FenceRecord {
  /** Those of `addresses` that the backend cuts off until the fence is removed. */
  readonly inForce: readonly StorageAddress[];
  /** Since when this process has read all of `inForce` as enforced, epoch ms. */
  readonly seenSinceMs: number;
  /** What weakens it, in words: an address was removed, disabled or will expire. `StorageBackend.fence()` restores it. */
  readonly damage?: string;
}

/**
 * Whether a fence was made for this node in its present boot. What is unknown on either side does not decide; the name alone
 * counts only where neither uid nor machine is known. A fence of another cluster, owner, machine or boot never counts.
 */
export function isFenceOf(
  record: FenceRecord,
  node: StorageNode,
  { clusterId, owner }: Pick<StorageQuery, 'clusterId' | 'owner'>,
): boolean {
  if (differ(record.clusterId, clusterId) || differ(record.owner, owner)) return false;
  if (differ(record.machineId, node.machineId) || differ(record.bootId, node.bootId)) return false;
  if (record.nodeUid !== undefined && node.uid !== undefined) return record.nodeUid === node.uid;
  return record.nodeName === node.name;
}

function differ(a: string | undefined, b: string | undefined): boolean {
  return a !== undefined && b !== undefined && a !== b;
}
