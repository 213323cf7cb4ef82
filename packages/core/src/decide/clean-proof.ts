import type { NodeFact } from '../model/facts.ts';
import type { Fence, FenceRecord } from '../model/fence-record.ts';
import { addressKey, ipAddresses } from '../model/storage-address.ts';

/** Who makes fences: one attacher in one cluster. */
export interface FenceOwner {
  /** uid of Namespace `kube-system`; absent: not known. */
  readonly clusterId?: string;
  /** The attacher. */
  readonly owner: string;
}

/** Why this fence is not ours to lift, in words; `undefined` when it is. A fence without cluster or owner is taken for ours. */
export function foreignTo(fence: FenceRecord, { clusterId, owner }: FenceOwner): string | undefined {
  if (fence.owner !== undefined && fence.owner !== owner)
    return `Fence ${fence.id} was made by the controller of ${fence.owner}`;
  if (fence.clusterId === undefined || clusterId === undefined || fence.clusterId === clusterId)
    return undefined;
  return `Fence ${fence.id} was made by cluster ${fence.clusterId}; this is cluster ${clusterId}`;
}

/** The annotation `clean` names this very fence. It may name several, separated by commas. */
export function isDeclaredClean({ cleanFenceId }: NodeFact, fence: FenceRecord): boolean {
  return namesFence(cleanFenceId, fence);
}

/** An operator's annotation, which may name several fences, names this very one. */
export function namesFence(ids = '', { id }: FenceRecord): boolean {
  return ids.split(/[\s,]+/).includes(id);
}

/** Whether a proof was found, and in words why or why not. */
export interface CleanProof {
  readonly isClean: boolean;
  readonly why: string;
}

/**
 * Whether this Node proves that the machine which was fenced holds no writes from before the fence: it is the same machine in
 * another boot, at the fenced addresses, or an operator declared it clean of this very fence.
 */
export function cleanProof(node: NodeFact, fence: FenceRecord): CleanProof {
  if (isDeclaredClean(node, fence))
    return { isClean: true, why: `An operator declared the node clean of fence ${fence.id}` };
  const other = otherMachine(node, fence);
  if (other !== undefined) return no(other);
  if (fence.bootId === undefined || node.bootId === undefined)
    return no('Node is ready, but its bootID or that of the fence is not known');
  if (fence.bootId === node.bootId)
    return no('Node is ready but not proved clean: it has not booted since the fence');
  const former = new Set(node.formerAddresses?.map(({ address }) => address));
  const own = ipAddresses(node.storageAddresses.filter((address) => !former.has(address))).map(addressKey);
  const missing = fence.addresses.filter((address) => !own.includes(addressKey(address)));
  if (missing.length > 0) {
    const named = missing.map(({ value }) => value).join(', ');
    return no(`Node has booted, but fenced address ${named} is not its own any more`);
  }
  return { isClean: true, why: `The node has booted since fence ${fence.id}` };
}

function no(why: string): CleanProof {
  return { isClean: false, why };
}

/** Why the Node may be another machine than the fenced one; `undefined` when it is the same. */
function otherMachine(node: NodeFact, { machineId, nodeUid, id }: FenceRecord): string | undefined {
  if (machineId !== undefined && node.machineId !== undefined) {
    if (machineId === node.machineId) return undefined;
    return `Node is another machine (${node.machineId}) than the one of fence ${id} (${machineId})`;
  }
  if (nodeUid === node.uid) return undefined;
  return `Node is not proved to be the machine of fence ${id}: no common machine ID, and its uid is ${node.uid}, not ${nodeUid ?? 'known'}`;
}

/** Both fences may be of one machine. */
export function isOfSameMachine(a: Fence, b: Fence): boolean {
  if (a.machineId !== undefined && b.machineId !== undefined) return a.machineId === b.machineId;
  return a.nodeName === b.nodeName;
}
