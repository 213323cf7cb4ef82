import { FENCED_TAINT, type NodeFact, OUT_OF_SERVICE_TAINT, OUT_OF_SERVICE_VALUE } from '@reattach/core';
import { asObject, type JsonObject, objectAt } from '@reattach/k8s-api';

/**
 * One operation of a JSON patch. The patches here put in and take out single list items; a list that others write, too, is
 * never rewritten as a whole. @see https://www.rfc-editor.org/rfc/rfc6902
 */
export type PatchOperation =
  | { readonly op: 'test' | 'add'; readonly path: string; readonly value: unknown }
  | { readonly op: 'remove'; readonly path: string };

const BOOT_ID_ANNOTATION = 'reattach.srvlab.io/out-of-service-boot-id';
const BOOT_ID_PATH = `/metadata/annotations/${BOOT_ID_ANNOTATION.replace('/', '~1')}`;

/**
 * Refuses (422) a patch for any other state of the Node than the one it was made from. It has to come first: the
 * positions in lists and the readiness that were read hold for that state alone.
 */
export function sameState(uid: string, resourceVersion: string): readonly PatchOperation[] {
  return [
    { op: 'test', path: '/metadata/uid', value: uid },
    { op: 'test', path: '/metadata/resourceVersion', value: resourceVersion },
  ];
}

/** Takes these volumes, each time they occur, and nothing else, out of `status.volumesInUse`. */
export function removeVolumesInUse(
  raw: unknown,
  attacher: string,
  volumeHandles: readonly string[],
): readonly PatchOperation[] {
  const names: ReadonlySet<unknown> = new Set(
    volumeHandles.map((handle) => `kubernetes.io/csi/${attacher}^${handle}`),
  );
  return removeItems(objectAt(asObject(raw) ?? {}, 'status'), '/status/volumesInUse', (name) =>
    names.has(name),
  );
}

/**
 * Adds our taint and records the bootID the Node has in this very state. Empty when any taint of that key is there: one of
 * ours is enough, and one of somebody else's is theirs to manage.
 */
export function addOutOfServiceTaint(raw: unknown, { bootId }: NodeFact): readonly PatchOperation[] {
  const { taints, annotations } = read(raw);
  if (hasTaint(taints, OUT_OF_SERVICE_TAINT)) return [];
  return [
    addTaint(taints, { key: OUT_OF_SERVICE_TAINT, value: OUT_OF_SERVICE_VALUE, effect: 'NoExecute' }),
    ...(bootId === undefined ? forgetBootId(annotations) : recordBootId(annotations, bootId)),
  ];
}

/** Removes our taint and our record; a taint of that key with another value stays. Empty when neither is there. */
export function removeOutOfServiceTaint(raw: unknown): readonly PatchOperation[] {
  const { spec, annotations } = read(raw);
  return [...removeItems(spec, '/spec/taints', isOurTaint), ...forgetBootId(annotations)];
}

/** Adds the taint that keeps pods off a fenced node. Empty when one of that key is there. */
export function addFencedTaint(raw: unknown): readonly PatchOperation[] {
  const { taints } = read(raw);
  return hasTaint(taints, FENCED_TAINT)
    ? []
    : [addTaint(taints, { key: FENCED_TAINT, effect: 'NoSchedule' })];
}

/** Empty when there is none. */
export function removeFencedTaint(raw: unknown): readonly PatchOperation[] {
  return removeItems(read(raw).spec, '/spec/taints', (item) => asObject(item)?.['key'] === FENCED_TAINT);
}

function hasTaint(taints: readonly unknown[] | undefined, key: string): boolean {
  return taints?.some((taint) => asObject(taint)?.['key'] === key) ?? false;
}

function addTaint(taints: readonly unknown[] | undefined, taint: object): PatchOperation {
  return taints
    ? { op: 'add', path: '/spec/taints/-', value: taint }
    : { op: 'add', path: '/spec/taints', value: [taint] };
}

function isOurTaint(item: unknown): boolean {
  const taint = asObject(item);
  return taint?.['key'] === OUT_OF_SERVICE_TAINT && taint['value'] === OUT_OF_SERVICE_VALUE;
}

function read(raw: unknown) {
  const object = asObject(raw) ?? {};
  const spec = objectAt(object, 'spec');
  const taints: unknown = spec['taints'];
  return {
    spec,
    taints: Array.isArray(taints) ? (taints as readonly unknown[]) : undefined,
    annotations: asObject(objectAt(object, 'metadata')['annotations']),
  };
}

function recordBootId(annotations: JsonObject | undefined, bootId: string): readonly PatchOperation[] {
  return annotations
    ? [{ op: 'add', path: BOOT_ID_PATH, value: bootId }]
    : [{ op: 'add', path: '/metadata/annotations', value: { [BOOT_ID_ANNOTATION]: bootId } }];
}

/** A record left over from an earlier taint would prove a reboot that never was. */
function forgetBootId(annotations: JsonObject | undefined): readonly PatchOperation[] {
  return annotations && Object.hasOwn(annotations, BOOT_ID_ANNOTATION)
    ? [{ op: 'remove', path: BOOT_ID_PATH }]
    : [];
}

/** Removes from the end, so that the positions of those still to be removed stay as they were read. */
function removeItems(
  parent: JsonObject,
  path: string,
  isMeant: (item: unknown) => boolean,
): readonly PatchOperation[] {
  const items: unknown = parent[path.slice(path.lastIndexOf('/') + 1)];
  if (!Array.isArray(items)) return [];
  return items
    .flatMap((item: unknown, index) =>
      isMeant(item) ? [{ op: 'remove', path: `${path}/${index}` } as const] : [],
    )
    .toReversed();
}
