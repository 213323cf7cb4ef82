import { asObject, type JsonObject, objectAt, textAt, timeMsAt } from './json-reader.ts';

/** The part of `metadata` that every object has or may have. */
export interface ObjectMeta {
  readonly name: string;
  readonly uid: string;
  readonly namespace?: string;
  readonly resourceVersion?: string;
  readonly createdAtMs?: number;
  readonly deletingSinceMs?: number;
}

/** Reads an object's metadata. Never throws. @returns `undefined` for anything without a name and uid. */
export function readMeta(raw: unknown): ObjectMeta | undefined {
  const metadata = objectAt(asObject(raw) ?? {}, 'metadata');
  const name = textAt(metadata, 'name');
  const uid = textAt(metadata, 'uid');
  if (name === undefined || uid === undefined) return undefined;
  const namespace = textAt(metadata, 'namespace');
  const resourceVersion = textAt(metadata, 'resourceVersion');
  const createdAtMs = timeMsAt(metadata, 'creationTimestamp');
  const deletingSinceMs = timeMsAt(metadata, 'deletionTimestamp');
  return {
    name,
    uid,
    ...(namespace !== undefined && { namespace }),
    ...(resourceVersion !== undefined && { resourceVersion }),
    ...(createdAtMs !== undefined && { createdAtMs }),
    ...(deletingSinceMs !== undefined && { deletingSinceMs }),
  };
}

/**
 * Reads an object of the given kind. List items carry no `kind`; one that names another is refused.
 * @returns `undefined` for anything without a name and uid.
 */
export function readObject(
  raw: unknown,
  kind: string,
): { readonly object: JsonObject; readonly meta: ObjectMeta } | undefined {
  const object = asObject(raw);
  const meta = readMeta(raw);
  if (!object || !meta || (object['kind'] !== undefined && object['kind'] !== kind)) return undefined;
  return { object, meta };
}
