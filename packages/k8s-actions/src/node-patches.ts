import { FENCED_TAINT, type NodeFact, OUT_OF_SERVICE_TAINT } from '@reattach/core';
import { asObject, type JsonObject, objectAt, textAt } from '@reattach/k8s-api';

/**
 * One operation of a JSON patch. The patches here put in and take out single list items; a list that others write, too, is
 * never rewritten as a whole. @see https://www.rfc-editor.org/rfc/rfc6902
 */
export type PatchOperation =
  | { readonly op: 'test' | 'add'; readonly path: string; readonly value: unknown }
  | { readonly op: 'remove'; readonly path: string };

/** Value: `<attacher>/<bootID>`. */
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
 * Adds the taint of this owner and records the bootID that the Node has in this very state. Empty when any taint of that
 * key is there, because a taint of another owner is theirs to manage.
 */
export function addOutOfServiceTaint(
  raw: unknown,
  { bootId }: NodeFact,
  owner: string,
): readonly PatchOperation[] {
  const { taints, annotations } = read(raw);
  if (taintOf(taints, OUT_OF_SERVICE_TAINT)) return [];
  return [
    addTaint(taints, { key: OUT_OF_SERVICE_TAINT, value: owner, effect: 'NoExecute' }),
    ...(bootId === undefined ? removeRecord(annotations) : recordBootId(annotations, `${owner}/${bootId}`)),
  ];
}

/** Removes the taint and the record of this owner. Empty when neither is there. */
export function removeOutOfServiceTaint(raw: unknown, owner: string): readonly PatchOperation[] {
  const { spec, annotations } = read(raw);
  const record = annotations?.[BOOT_ID_ANNOTATION];
  const isOwn = typeof record === 'string' && record.startsWith(`${owner}/`);
  return [...removeTaint(spec, OUT_OF_SERVICE_TAINT, owner), ...(isOwn ? removeRecord(annotations) : [])];
}

/** Adds the taint that keeps pods off a fenced node. Empty when one of that key is there, of whichever owner. */
export function addFencedTaint(raw: unknown, owner: string): readonly PatchOperation[] {
  const { taints } = read(raw);
  return taintOf(taints, FENCED_TAINT)
    ? []
    : [addTaint(taints, { key: FENCED_TAINT, value: owner, effect: 'NoSchedule' })];
}

/** Removes the fenced taint of this owner. Empty when there is none. */
export function removeFencedTaint(raw: unknown, owner: string): readonly PatchOperation[] {
  return removeTaint(read(raw).spec, FENCED_TAINT, owner);
}

/** @returns the value of the Node's taint of that key when it is not of this owner; empty text for a taint without value. */
export function foreignOwner(raw: unknown, key: string, owner: string): string | undefined {
  const taint = taintOf(read(raw).taints, key);
  if (!taint) return undefined;
  const value = textAt(taint, 'value') ?? '';
  return value === owner ? undefined : value;
}

function taintOf(taints: readonly unknown[] | undefined, key: string): JsonObject | undefined {
  return taints?.map(asObject).find((taint) => taint?.['key'] === key);
}

function removeTaint(spec: JsonObject, key: string, owner: string): readonly PatchOperation[] {
  return removeItems(spec, '/spec/taints', (item) => {
    const taint = asObject(item);
    return taint?.['key'] === key && taint['value'] === owner;
  });
}

function addTaint(taints: readonly unknown[] | undefined, taint: object): PatchOperation {
  return taints
    ? { op: 'add', path: '/spec/taints/-', value: taint }
    : { op: 'add', path: '/spec/taints', value: [taint] };
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

function recordBootId(annotations: JsonObject | undefined, record: string): readonly PatchOperation[] {
  return annotations
    ? [{ op: 'add', path: BOOT_ID_PATH, value: record }]
    : [{ op: 'add', path: '/metadata/annotations', value: { [BOOT_ID_ANNOTATION]: record } }];
}

/** A record left over from an earlier taint would prove a reboot that did not happen. */
function removeRecord(annotations: JsonObject | undefined): readonly PatchOperation[] {
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
