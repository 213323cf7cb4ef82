import type { AttachmentState, NodeReport, StateReport } from '@reattach/status-page';

/** What a name stands for: attachments of a claim or volume, or a node and all that is attached to it. */
export interface Subject {
  readonly node?: NodeReport;
  readonly attachments: readonly AttachmentState[];
}

/** `namespace/name` is a claim; another name a node, volume, volume handle, VolumeAttachment, or a claim in any namespace. */
export function findSubject(name: string, { nodes, attachments }: StateReport): Subject | undefined {
  const node = nodes.find((each) => each.name === name);
  const found = attachments.filter(
    (each) =>
      each.node === node?.name ||
      each.persistentVolume === name ||
      each.volumeHandle === name ||
      each.volumeAttachment === name ||
      (each.claim && (`${each.claim.namespace}/${each.claim.name}` === name || each.claim.name === name)),
  );
  if (!node && found.length === 0) return undefined;
  return { ...(node && { node }), attachments: found };
}
