import type { NodeFact } from '../model/facts.ts';
import type { FenceRecord } from '../model/fence-record.ts';
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
  const own = ownAddressKeys(node);
  const missing = fence.addresses.filter((address) => !own.has(addressKey(address)));
  if (missing.length > 0) {
    const named = missing.map(({ value }) => value).join(', ');
    return no(`Node has booted, but fenced address ${named} is not its own any more`);
  }
  return { isClean: true, why: `The node has booted since fence ${fence.id}` };
}

/** The addresses that the Node names now, without those it named earlier. */
export function ownAddressKeys({ storageAddresses, formerAddresses = [] }: NodeFact): ReadonlySet<string> {
  const former = new Set(formerAddresses.map(({ address }) => address));
  return new Set(ipAddresses(storageAddresses.filter((address) => !former.has(address))).map(addressKey));
}

/**
 * No pod may be scheduled onto the Node because of the fence: it may be the fenced machine, and it is in the boot of the fence, or
 * one of its addresses is cut off.
 */
export function keepsPodsOff(node: NodeFact, fence: FenceRecord): boolean {
  if (!mayBeMachineOf(node, fence)) return false;
  const hasBooted = fence.bootId !== undefined && node.bootId !== undefined && fence.bootId !== node.bootId;
  if (!hasBooted) return true;
  const own = ownAddressKeys(node);
  return fence.addresses.some((address) => own.has(addressKey(address)));
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

/** The Node is the very one that was fenced, still in the boot in which it was. */
export function isSameBoot(node: NodeFact, fence: FenceRecord): boolean {
  return (
    fence.bootId !== undefined &&
    fence.bootId === node.bootId &&
    fence.nodeUid === node.uid &&
    otherMachine(node, fence) === undefined
  );
}

/** The Node cannot be the machine that was fenced. */
export function isOtherMachine(node: NodeFact, fence: FenceRecord): boolean {
  return !mayBeMachineOf(node, fence);
}

/** The Node may be the machine that was fenced: nothing shows that it is another one. */
function mayBeMachineOf(node: NodeFact, { machineId, nodeName }: FenceRecord): boolean {
  if (machineId !== undefined && node.machineId !== undefined) return machineId === node.machineId;
  return nodeName === node.name;
}

/** Both fences may be of one machine. */
export function isOfSameMachine(a: FenceRecord, b: FenceRecord): boolean {
  if (a.machineId !== undefined && b.machineId !== undefined) return a.machineId === b.machineId;
  return a.nodeName === b.nodeName;
}
