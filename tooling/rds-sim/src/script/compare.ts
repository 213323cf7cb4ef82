import { parseDuration } from './duration.ts';
import { Duration, isList, toText, type Value } from './value.ts';

/** Whether two values are equal as `where` sees it: by meaning where both have one, else by text. */
export function looselyEqual(left: Value, right: Value): boolean {
  if (isList(left) && !isList(right)) return toText(left) === toText(right);
  const numeric = compare(left, right);
  if (numeric !== undefined) return numeric === 0;
  return plainText(left) === plainText(right);
}

/** Negative, 0 or positive; `undefined` when the values have no order other than that of their texts. */
function compare(left: Value, right: Value): number | undefined {
  const leftNumber = toNumber(left, right);
  const rightNumber = toNumber(right, left);
  if (leftNumber === undefined || rightNumber === undefined) return undefined;
  return leftNumber - rightNumber;
}

/** Less than 0, 0 or more than 0, by number where both are one, else by text. */
export function order(left: Value, right: Value): number {
  const numeric = compare(left, right);
  if (numeric !== undefined) return numeric;
  const [a, b] = [plainText(left), plainText(right)];
  if (a === b) return 0;
  return a < b ? -1 : 1;
}

function toNumber(value: Value, other: Value): number | undefined {
  if (value instanceof Duration) return value.ms;
  if (other instanceof Duration)
    return typeof value === 'number' ? value * 1000 : parseDuration(toText(value));
  if (typeof value === 'number') return value;
  if (typeof value === 'string' && typeof other === 'number' && /^-?\d+$/.test(value)) return Number(value);
  return undefined;
}

/** Booleans read `yes` and `no` in either spelling; one address may carry `/32`. */
function plainText(value: Value): string {
  const text = toText(value);
  if (text === 'yes') return 'true';
  if (text === 'no') return 'false';
  return text.replace(/^(\d+\.\d+\.\d+\.\d+)\/32$/, '$1');
}
