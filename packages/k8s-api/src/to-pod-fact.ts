import type { PodFact } from '@reattach/core';
import { type JsonObject, objectAt, objectsAt, textAt, textsAt } from './json-reader.ts';
import { readObject } from './object-meta.ts';
import { sharedList, sharedText, sharedUnder } from './shared-text.ts';
import { isExclusiveSource, sourceOf } from './volume-source.ts';

const NO_NAMES: readonly string[] = Object.freeze([]);
const controllers = new Map<string, PodFact['controller']>();

/** Projects a Pod. Never throws. @returns `undefined` for anything else, and for a Pod that has no node yet. */
export function toPodFact(raw: unknown): PodFact | undefined {
  const read = readObject(raw, 'Pod');
  if (!read) return undefined;
  const { object, meta } = read;
  const spec = objectAt(object, 'spec');
  const nodeName = textAt(spec, 'nodeName');
  if (nodeName === undefined || meta.namespace === undefined) return undefined;
  const metadata = objectAt(object, 'metadata');
  const controller = toController(metadata);
  const volumes = objectsAt(spec, 'volumes');
  const direct = volumes.flatMap(directVolume);
  const finalizers = textsAt(metadata, 'finalizers');
  return {
    namespace: sharedText(meta.namespace),
    name: meta.name,
    uid: meta.uid,
    nodeName: sharedText(nodeName),
    claimNames: claimNames(volumes, meta.name),
    ...(direct.length > 0 && { directVolumes: direct }),
    ...(finalizers.length > 0 && { finalizers: sharedList(finalizers) }),
    hostAddresses: hostAddresses(objectAt(object, 'status')),
    ...(controller && { controller }),
    ...(meta.deletingSinceMs !== undefined && { deletingSinceMs: meta.deletingSinceMs }),
    ...(meta.deletingSinceMs !== undefined &&
      metadata['deletionGracePeriodSeconds'] === 0 && { deletedAtOnce: true }),
  };
}

function claimNames(volumes: readonly JsonObject[], podName: string): readonly string[] {
  const names = new Set(volumes.flatMap((volume) => claimName(volume, podName) ?? []));
  return names.size === 0 ? NO_NAMES : [...names];
}

/** An ephemeral volume's claim is named `<pod>-<volume>`. @see https://kubernetes.io/docs/concepts/storage/ephemeral-volumes/ */
function claimName(volume: JsonObject, podName: string): string | undefined {
  const volumeName = textAt(volume, 'name');
  if (volume['ephemeral'] && volumeName !== undefined) return `${podName}-${volumeName}`;
  return textAt(objectAt(volume, 'persistentVolumeClaim'), 'claimName');
}

function directVolume(volume: JsonObject): string[] {
  const source = sourceOf(volume);
  if (source === undefined || !isExclusiveSource(source)) return [];
  return [`${textAt(volume, 'name') ?? ''} (${source})`];
}

function hostAddresses(status: JsonObject): readonly string[] {
  const hostIPs = objectsAt(status, 'hostIPs').flatMap((entry) => textAt(entry, 'ip') ?? []);
  const hostIP = textAt(status, 'hostIP');
  return sharedList(hostIPs.length > 0 || hostIP === undefined ? [...new Set(hostIPs)] : [hostIP]);
}

function toController(metadata: JsonObject): PodFact['controller'] {
  const owner = objectsAt(metadata, 'ownerReferences').find((reference) => reference['controller'] === true);
  const kind = owner && textAt(owner, 'kind');
  const name = owner && textAt(owner, 'name');
  if (kind === undefined || name === undefined) return undefined;
  return sharedUnder(`${kind}/${name}`, controllers, () => ({ kind: sharedText(kind), name }));
}
