import { parseDuration } from '../script/duration.ts';
import { runtimeError } from '../script/script-error.ts';

/** Readers of arguments, which refuse a value as RouterOS does. */
export function required(values: ReadonlyMap<string, string>, name: string): string {
  const value = values.get(name);
  if (value === undefined || value === '')
    throw runtimeError(`Script Error: missing value(s) of argument(s) ${name}`);
  return value;
}

export function oneOf<T extends string>(
  values: ReadonlyMap<string, string>,
  name: string,
  allowed: readonly T[],
): T | undefined {
  const value = values.get(name);
  if (value === undefined) return undefined;
  const known = allowed.find((candidate) => candidate === value);
  if (known === undefined) throw runtimeError(`input does not match any value of ${name}`);
  return known;
}

/** `yes` and `no`, `true` and `false`. */
export function yesNo(values: ReadonlyMap<string, string>, name: string): boolean | undefined {
  const value = oneOf(values, name, ['yes', 'no', 'true', 'false']);
  return value === undefined ? undefined : value === 'yes' || value === 'true';
}

export function durationMs(values: ReadonlyMap<string, string>, name: string): number | undefined {
  const value = values.get(name);
  if (value === undefined) return undefined;
  const ms = parseDuration(value);
  if (ms === undefined) throw runtimeError(`invalid time value for argument ${name}`);
  return ms;
}

/** Ports are numbers, ranges and lists of both. */
export function ports(values: ReadonlyMap<string, string>, name: string): void {
  const value = values.get(name);
  if (value === undefined || value === '') return;
  for (const part of value.replace(/^!/, '').split(',')) {
    const valid =
      /^\d{1,5}(?:-\d{1,5})?$/.test(part) && part.split('-').every((port) => Number(port) <= 65_535);
    if (!valid) throw runtimeError(`invalid value ${part} for argument ${name}`);
  }
}

/** `50G`, `10GiB` and plain bytes. */
export function sizeBytes(values: ReadonlyMap<string, string>, name: string): number {
  const value = required(values, name);
  const match = /^(\d+)(?:([KMGT])(?:iB)?)?$/i.exec(value);
  if (!match) throw runtimeError(`invalid value ${value} for argument ${name}`);
  const exponent = ' KMGT'.indexOf((match[2] ?? ' ').toUpperCase());
  return Number(match[1]) * 1024 ** exponent;
}
