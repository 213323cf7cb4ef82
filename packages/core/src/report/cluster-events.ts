import type { LostDecision } from '../execute/effect.ts';
import type { FenceRecord } from '../model/fence-record.ts';
import type { ClusterEvent } from '../ports/ports.ts';

/** An Event on the Node that a fence is about. */
export function nodeEvent(
  { nodeName, nodeUid }: FenceRecord,
  reason: 'NodeFenced' | 'NodeUnfenced',
  message: string,
): ClusterEvent {
  const type = reason === 'NodeFenced' ? 'Warning' : 'Normal';
  const regarding = {
    kind: 'Node',
    namespace: '',
    name: nodeName,
    ...(nodeUid !== undefined && { uid: nodeUid }),
  } as const;
  return { type, reason, message, regarding };
}

/** An Event on the claim of the volume; `undefined` when the volume has no claim. */
export function claimEvent(
  { volume }: LostDecision,
  event: Omit<ClusterEvent, 'regarding'>,
): ClusterEvent | undefined {
  const claim = volume?.claim;
  return claim && { ...event, regarding: { kind: 'PersistentVolumeClaim', ...claim } };
}

/** Log fields of a decision. */
export function fieldsOf({ attachment, volume, node }: LostDecision): Readonly<Record<string, unknown>> {
  const uid = node.kind === 'gone' ? node.lastSeen?.uid : node.node.uid;
  return {
    node: node.name,
    ...(uid !== undefined && { nodeUid: uid }),
    volumeAttachment: attachment.name,
    persistentVolume: attachment.persistentVolumeName,
    ...(volume?.volumeHandle !== undefined && { volumeHandle: volume.volumeHandle }),
  };
}
