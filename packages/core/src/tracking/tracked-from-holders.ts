import type { PersistentVolumeFact, VolumeAttachmentFact } from '../model/facts.ts';
import { freezeAttachment, isReadWriteMany, type TrackedAttachment } from '../model/tracked-attachment.ts';
import type { VolumeHolders } from './volume-holders.ts';

/**
 * The tracked attachment of a volume by its VolumeAttachments, of which the two oldest count.
 * @param before the attachment as it was; returned when nothing has changed
 * @param migrationTimeoutMs how long a live migration may take, ms
 */
export function trackedFromHolders(
  volumeHandle: string,
  { volume, attachments }: VolumeHolders,
  before: TrackedAttachment | undefined,
  migrationTimeoutMs: number,
): TrackedAttachment {
  const [older, younger] = attachments as readonly [VolumeAttachmentFact, VolumeAttachmentFact?];
  if (before && !younger && isUnchanged(before, older, volume)) return before;
  const single: TrackedAttachment = {
    volumeHandle,
    nodeNames: [older.nodeName],
    accessModes: volume.accessModes,
    attachedAtMs: older.createdAtMs,
  };
  if (!younger) return freezeAttachment(single);
  const nodeNames = [older.nodeName, younger.nodeName] as const;
  if (!isReadWriteMany(volume)) return freezeAttachment({ ...single, nodeNames });
  const migration = { startedAtMs: younger.createdAtMs, timeoutMs: migrationTimeoutMs };
  return freezeAttachment({ ...single, nodeNames, migration });
}

/** Avoids a new snapshot for nearly every volume of a rebuild. */
function isUnchanged(
  { nodeNames, attachedAtMs, accessModes }: TrackedAttachment,
  only: VolumeAttachmentFact,
  volume: PersistentVolumeFact,
): boolean {
  return (
    nodeNames.length === 1 &&
    nodeNames[0] === only.nodeName &&
    attachedAtMs === only.createdAtMs &&
    accessModes?.length === volume.accessModes.length &&
    accessModes.every((mode, index) => mode === volume.accessModes[index])
  );
}
