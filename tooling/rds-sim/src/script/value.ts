import { formatDuration } from './duration.ts';

/** An internal number of an item, printed as `*2B`. */
export class ItemId {
  readonly number: number;

  constructor(number: number) {
    this.number = number;
  }

  toString(): string {
    return `*${this.number.toString(16).toUpperCase()}`;
  }
}

/** A span of time; RouterOS' own resolution is the second. */
export class Duration {
  readonly ms: number;

  constructor(ms: number) {
    this.ms = ms;
  }

  toString(): string {
    return formatDuration(this.ms, 'units');
  }
}

/** A record or an array with keys. */
export type ValueMap = ReadonlyMap<string, Value>;

/** What a script computes with; `undefined` is RouterOS' nothing. */
export type Value = undefined | string | number | boolean | ItemId | Duration | ValueMap | readonly Value[];

export function isList(value: Value): value is readonly Value[] {
  return Array.isArray(value);
}

export function isMap(value: Value): value is ValueMap {
  return value instanceof Map;
}

/** The text of a value as `:put` prints it: records as `key=value`, joined by `;`, nothing escaped. */
export function toText(value: Value): string {
  if (value === undefined) return '';
  if (isList(value)) return value.map(toText).join(';');
  if (isMap(value))
    return sortedEntries(value)
      .map(([key, entry]) => `${key}=${toText(entry)}`)
      .join(';');
  return String(value);
}

/** Arrays with keys are kept in the order of their keys. */
export function sortedEntries(map: ValueMap): readonly (readonly [string, Value])[] {
  return [...map.keys()].toSorted().map((key) => [key, map.get(key)]);
}

export function isTrue(value: Value): boolean {
  return value === true || value === 'true' || value === 'yes';
}
