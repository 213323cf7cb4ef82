import type { ObjectRef, PersistentVolumeFact } from '@reattach/core';
import { asObject, type JsonObject, objectAt, textAt, textMapAt, textsAt } from './json-reader.ts';
import { readObject } from './object-meta.ts';
import { sharedList, sharedText } from './shared-text.ts';
import { sourceOf } from './volume-source.ts';

/** Projects a PersistentVolume, CSI or not. Never throws. @returns `undefined` for anything else. */
export function toPersistentVolumeFact(raw: unknown): PersistentVolumeFact | undefined {
  const read = readObject(raw, 'PersistentVolume');
  if (!read) return undefined;
  const spec = objectAt(read.object, 'spec');
  const csi = objectAt(spec, 'csi');
  const driver = textAt(csi, 'driver');
  const volumeHandle = textAt(csi, 'volumeHandle');
  const source = driver === undefined ? sourceOf(spec) : undefined;
  const phase = textAt(objectAt(read.object, 'status'), 'phase');
  const claim = toClaim(asObject(spec['claimRef']));
  return {
    name: read.meta.name,
    uid: read.meta.uid,
    ...(driver !== undefined && { driver: sharedText(driver) }),
    ...(volumeHandle !== undefined && { volumeHandle }),
    volumeAttributes: textMapAt(csi, 'volumeAttributes'),
    accessModes: sharedList(textsAt(spec, 'accessModes')),
    ...(source !== undefined && { source }),
    ...(claim && { claim }),
    ...((phase === 'Released' || phase === 'Failed') && { released: true }),
  };
}

function toClaim(claimRef: JsonObject | undefined): ObjectRef | undefined {
  const namespace = claimRef && textAt(claimRef, 'namespace');
  const name = claimRef && textAt(claimRef, 'name');
  if (!claimRef || namespace === undefined || name === undefined) return undefined;
  const uid = textAt(claimRef, 'uid');
  return { namespace: sharedText(namespace), name, ...(uid !== undefined && { uid }) };
}
