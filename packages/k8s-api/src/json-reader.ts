/** An object as JSON.parse gives it. */
export type JsonObject = Readonly<Record<string, unknown>>;

/** @returns `value` when it is an object and no array. */
export function asObject(value: unknown): JsonObject | undefined {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
    ? (value as JsonObject)
    : undefined;
}

/** @returns the object under `key`, empty when there is none. */
export function objectAt(parent: JsonObject, key: string): JsonObject {
  return asObject(parent[key]) ?? {};
}

/** @returns the objects in the array under `key`; anything else in it is left out. */
export function objectsAt(parent: JsonObject, key: string): JsonObject[] {
  const value = parent[key];
  if (!Array.isArray(value)) return [];
  return value.map(asObject).filter((item) => item !== undefined);
}

/** @returns the non-empty string under `key`. */
export function textAt(parent: JsonObject, key: string): string | undefined {
  const value = parent[key];
  return typeof value === 'string' && value !== '' ? value : undefined;
}

/** @returns the strings in the array under `key`. */
export function textsAt(parent: JsonObject, key: string): string[] {
  const value = parent[key];
  return Array.isArray(value) ? value.filter((item) => typeof item === 'string') : [];
}

/** @returns the string members of the object under `key`, as labels and annotations are. */
export function textMapAt(parent: JsonObject, key: string): Readonly<Record<string, string>> {
  const entries = Object.entries(objectAt(parent, key));
  return Object.fromEntries(
    entries.filter((entry): entry is [string, string] => typeof entry[1] === 'string'),
  );
}

/** @returns the RFC 3339 time under `key`, epoch ms. */
export function timeMsAt(parent: JsonObject, key: string): number | undefined {
  const text = textAt(parent, key);
  const timeMs = text === undefined ? Number.NaN : Date.parse(text);
  return Number.isNaN(timeMs) ? undefined : timeMs;
}
