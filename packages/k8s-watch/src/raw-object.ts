/** An object as JSON.parse gives it. */
export type JsonObject = Readonly<Record<string, unknown>>;

/** What tells one object, and one version of it, from another. */
export interface Identity {
  /** `name`, or `namespace/name`. */
  readonly key: string;
  readonly uid: string;
  readonly resourceVersion: string | undefined;
}

export function isJsonObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Follows `path` into `raw`. @returns the non-empty string found there. */
export function textAt(raw: unknown, ...path: readonly string[]): string | undefined {
  let value = raw;
  for (const key of path) value = isJsonObject(value) ? value[key] : undefined;
  return typeof value === 'string' && value !== '' ? value : undefined;
}

/** @returns `undefined` for anything without a name and uid. */
export function readIdentity(raw: unknown): Identity | undefined {
  const metadata = isJsonObject(raw) ? raw['metadata'] : undefined;
  const name = textAt(metadata, 'name');
  const uid = textAt(metadata, 'uid');
  if (name === undefined || uid === undefined) return undefined;
  const namespace = textAt(metadata, 'namespace');
  const key = namespace === undefined ? name : `${namespace}/${name}`;
  return { key, uid, resourceVersion: textAt(metadata, 'resourceVersion') };
}
