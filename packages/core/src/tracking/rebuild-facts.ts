import type { PersistentVolumeFact, VolumeAttachmentFact } from '../model/facts.ts';

/** Every fact that a rebuild reads, in order. Facts are immutable, so the same objects give the same state. */
export function rebuildFacts(
  attachments: readonly VolumeAttachmentFact[],
  volumeOf: (persistentVolumeName: string) => PersistentVolumeFact | undefined,
  attacher: string,
): readonly unknown[] {
  const facts: unknown[] = [attacher];
  for (const attachment of attachments) {
    const name = attachment.persistentVolumeName;
    facts.push(attachment, name === undefined ? undefined : volumeOf(name));
  }
  return facts;
}

/** Whether `rebuildFacts()` would return the same objects. It does for most passes, so nothing is copied. */
export function areRebuildFacts(
  facts: readonly unknown[],
  attachments: readonly VolumeAttachmentFact[],
  volumeOf: (persistentVolumeName: string) => PersistentVolumeFact | undefined,
  attacher: string,
): boolean {
  if (facts.length !== 1 + 2 * attachments.length || facts[0] !== attacher) return false;
  let index = 1;
  for (const attachment of attachments) {
    const name = attachment.persistentVolumeName;
    if (facts[index++] !== attachment) return false;
    if (facts[index++] !== (name === undefined ? undefined : volumeOf(name))) return false;
  }
  return true;
}
