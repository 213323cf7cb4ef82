import type { Dialect } from '../dialect.ts';
import { formatDuration } from './duration.ts';
import { Duration, ItemId, isList, isMap, toText, type Value } from './value.ts';

/**
 * JSON as `:serialize to=json` writes it: one line, keys in order.
 * @param keepStrings `json.no-string-conversion`; without it text that looks like a number becomes one, with six decimals.
 */
export function serializeJson(value: Value, keepStrings: boolean, dialect: Dialect): string {
  if (isList(value) && value.length === 0) return dialect.emptyRows === 'array' ? '[]' : '""';
  return json(value, keepStrings, dialect);
}

function json(value: Value, keepStrings: boolean, dialect: Dialect): string {
  if (value === undefined) return 'null';
  if (isList(value)) return `[${value.map((item) => json(item, keepStrings, dialect)).join(',')}]`;
  if (isMap(value)) {
    let entries = '';
    for (const key of sortedKeys(value))
      entries += `${entries && ','}"${key}":${json(value.get(key), keepStrings, dialect)}`;
    return `{${entries}}`;
  }
  if (typeof value === 'number' || typeof value === 'boolean') return String(value);
  if (value instanceof Duration) return JSON.stringify(formatDuration(value.ms, dialect.durationStyle));
  if (value instanceof ItemId) return JSON.stringify(value.toString());
  const text = toText(value);
  return !keepStrings && /^-?\d+(?:\.\d+)?$/.test(text) ? Number(text).toFixed(6) : JSON.stringify(text);
}

/** Records of one menu have the same keys: their order is computed once. */
const orders = new Map<string, readonly string[]>();

function sortedKeys(map: ReadonlyMap<string, unknown>): readonly string[] {
  const keys = [...map.keys()];
  const name = keys.join();
  let order = orders.get(name);
  if (!order) orders.set(name, (order = keys.toSorted()));
  return order;
}
