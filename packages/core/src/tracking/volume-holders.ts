import type { PersistentVolumeFact, VolumeAttachmentFact } from '../model/facts.ts';

/** A volume and the VolumeAttachments that hold it: one a node, oldest first, never empty. */
export interface VolumeHolders {
  readonly volume: PersistentVolumeFact;
  readonly attachments: readonly VolumeAttachmentFact[];
}

/**
 * Who holds which volume, by volumeHandle: VolumeAttachments that are attached, by our attacher, grouped by
 * PersistentVolume. Two PersistentVolumes with one handle are one volume. Inline volumes, unknown
 * PersistentVolumes and those of another driver are left out.
 */
export function volumeHolders(
  volumeAttachments: Iterable<VolumeAttachmentFact>,
  volumeOf: (persistentVolumeName: string) => PersistentVolumeFact | undefined,
  attacher: string,
): Map<string, VolumeHolders> {
  const holders = new Map<string, { volume: PersistentVolumeFact; attachments: VolumeAttachmentFact[] }>();
  const shared = new Set<{ attachments: VolumeAttachmentFact[] }>();
  for (const attachment of volumeAttachments) {
    if (!attachment.attached || attachment.attacher !== attacher) continue;
    const name = attachment.persistentVolumeName;
    const volume = name === undefined ? undefined : volumeOf(name);
    if (volume?.volumeHandle === undefined || volume.driver !== attacher) continue;
    const known = holders.get(volume.volumeHandle);
    if (known) {
      known.attachments.push(attachment);
      shared.add(known);
    } else {
      holders.set(volume.volumeHandle, { volume, attachments: [attachment] });
    }
  }
  for (const held of shared) held.attachments = oldestOfEachNode(held.attachments);
  return holders;
}

function oldestOfEachNode(attachments: readonly VolumeAttachmentFact[]): VolumeAttachmentFact[] {
  const nodes = new Map<string, VolumeAttachmentFact>();
  for (const attachment of attachments.toSorted(byAge)) {
    if (!nodes.has(attachment.nodeName)) nodes.set(attachment.nodeName, attachment);
  }
  return [...nodes.values()];
}

/** Oldest first; the name settles a tie, so that the answer does not depend on the order of the list. */
function byAge(left: VolumeAttachmentFact, right: VolumeAttachmentFact): number {
  return left.createdAtMs - right.createdAtMs || (left.name < right.name ? -1 : 1);
}
