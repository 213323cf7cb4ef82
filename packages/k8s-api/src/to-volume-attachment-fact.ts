import type { VolumeAttachmentFact } from '@reattach/core';
import { objectAt, textAt } from './json-reader.ts';
import { readObject } from './object-meta.ts';
import { sharedText } from './shared-text.ts';

/** The ids of fences of which an operator confirmed that their machine is off. */
export const CONFIRMED_OFF = 'reattach.srvlab.io/confirmed-off';

/** Projects a VolumeAttachment. Never throws. @returns `undefined` when attacher, node or creation time is missing. */
export function toVolumeAttachmentFact(raw: unknown): VolumeAttachmentFact | undefined {
  const read = readObject(raw, 'VolumeAttachment');
  if (!read) return undefined;
  const { object, meta } = read;
  const spec = objectAt(object, 'spec');
  const attacher = textAt(spec, 'attacher');
  const nodeName = textAt(spec, 'nodeName');
  if (attacher === undefined || nodeName === undefined || meta.createdAtMs === undefined) return undefined;
  const confirmedOffFenceId = textAt(objectAt(objectAt(object, 'metadata'), 'annotations'), CONFIRMED_OFF);
  const persistentVolumeName = textAt(objectAt(spec, 'source'), 'persistentVolumeName');
  return {
    name: meta.name,
    uid: meta.uid,
    attacher: sharedText(attacher),
    nodeName: sharedText(nodeName),
    ...(persistentVolumeName !== undefined && { persistentVolumeName }),
    attached: objectAt(object, 'status')['attached'] === true,
    createdAtMs: meta.createdAtMs,
    ...(meta.deletingSinceMs !== undefined && { deletingSinceMs: meta.deletingSinceMs }),
    ...(confirmedOffFenceId !== undefined && { confirmedOffFenceId }),
  };
}
