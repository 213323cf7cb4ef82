import { foreignTo, isDeclaredClean, isOfSameMachine } from '../decide/clean-proof.ts';
import type { NodeFact } from '../model/facts.ts';
import { type Fence, type FenceRecord, isFenceOf } from '../model/fence-record.ts';
import {
  addressKey,
  ipAddresses,
  type StorageAddress,
  servedAddresses,
  unionOfAddresses,
} from '../model/storage-address.ts';
import { storageIdentity } from '../model/storage-query.ts';
import { nodeFactOf } from '../view/cluster-view.ts';
import { migrationOf } from '../view/live-migration.ts';
import { confirmLost } from './confirmed-write.ts';
import type { Effect } from './effect.ts';
import type { ExecutePorts, NodePlan } from './node-plan.ts';

/** Cuts the node off at the backend of the decisions, which all are about the same backend. */
export async function fenceNode({ decisions, nowMs, ports, signal }: NodePlan): Promise<Effect[]> {
  const [{ node, backend }] = decisions;
  if (!backend) throw new TypeError(`Expected a backend that can fence node ${node.name}`);
  const migrating = ports.attachments.find(
    (view) =>
      view.attachment.nodeName === node.name &&
      view.backend === backend &&
      migrationOf(view, decisions[0], nowMs) !== undefined,
  );
  if (migrating) {
    const why = `A fence would also cut off ${migrating.attachment.persistentVolumeName}: ${migrationOf(migrating, decisions[0], nowMs)}`;
    return [{ kind: 'postponed', decisions, reason: 'sibling-held', why }];
  }
  try {
    const { changed, live } = await confirmLost(decisions[0], ports, signal);
    if (changed !== undefined) return [{ kind: 'superseded', decisions, why: changed }];
    const fact = live ?? nodeFactOf(node);
    const addresses = servedAddresses(
      unionOfAddresses(
        ports.storageNodes.get(node.name)?.addresses ?? [],
        ipAddresses(live?.storageAddresses ?? []),
      ),
      backend.capabilities.ipVersions,
    );
    const known = ports.fences.find((fence) => isFenceOfLoss(fence, node.name, fact, ports));
    if (known && isComplete(known, addresses)) {
      const why = `Fence ${known.id} already covers boot ${known.bootId ?? 'unknown'}, which our cache does not show yet`;
      return [{ kind: 'superseded', decisions, why }];
    }
    const fence: FenceRecord = {
      ...(known ?? newRecord(node.name, fact, ports)),
      addresses: unionOfAddresses(known?.addresses ?? [], addresses),
    };
    await ports.fenceRecords?.write(backend.name, fence, signal);
    ports.leadership.assertHeld();
    await backend.fence(fence, addresses, signal);
    await forgetReplaced(fence, backend.name, ports, signal);
    const isFirst = !ports.fences.some((each) => isOfSameMachine(each, fence));
    return [{ kind: 'fenced', decisions, fence, addresses, isFirst }];
  } catch (err) {
    signal.throwIfAborted();
    return [{ kind: 'failed', step: 'fence', decisions, err }];
  }
}

/** The fence holds the addresses of earlier ones of the node now. Their records would have them put back once it is lifted. */
async function forgetReplaced(
  { id, nodeName }: FenceRecord,
  backendName: string,
  { fences, fenceRecords, clusterId, policy }: ExecutePorts,
  signal: AbortSignal,
): Promise<void> {
  const owner = { owner: policy.attacher, ...(clusterId !== undefined && { clusterId }) };
  for (const earlier of fences) {
    if (earlier.nodeName !== nodeName || earlier.id === id || foreignTo(earlier, owner) !== undefined)
      continue;
    await fenceRecords?.remove(backendName, earlier.id, signal);
  }
}

function newRecord(
  nodeName: string,
  fact: NodeFact | undefined,
  { newFenceId, clusterId, policy, clock }: ExecutePorts,
): Omit<FenceRecord, 'addresses'> {
  return {
    id: newFenceId(),
    ...(clusterId !== undefined && { clusterId }),
    owner: policy.attacher,
    nodeName,
    ...(fact && { nodeUid: fact.uid }),
    ...(fact?.machineId !== undefined && { machineId: fact.machineId }),
    ...(fact?.bootId !== undefined && { bootId: fact.bootId }),
    fencedAtMs: clock.now(),
  };
}

/**
 * The fence to complete rather than to renew: of this very boot and Node, and of no earlier loss, which an operator's
 * annotation would prove clean.
 */
function isFenceOfLoss(
  fence: Fence,
  nodeName: string,
  fact: NodeFact | undefined,
  { clusterId, policy }: ExecutePorts,
): boolean {
  const owner = { owner: policy.attacher, ...(clusterId !== undefined && { clusterId }) };
  if (fence.nodeName !== nodeName || foreignTo(fence, owner) !== undefined) return false;
  if (!fact) return true;
  return (
    fence.bootId === fact.bootId &&
    isFenceOf(fence, storageIdentity(fact), owner) &&
    !isDeclaredClean(fact, fence)
  );
}

function isComplete({ inForce, damage }: Fence, addresses: readonly StorageAddress[]): boolean {
  const cutOff = new Set(inForce.map(addressKey));
  return damage === undefined && addresses.every((address) => cutOff.has(addressKey(address)));
}
