import type { OptionType } from './option-type.ts';

/** Bounds inside which a number is safe in production. Only `unsafe.compressedTimes` lifts them. */
export interface SafeRange {
  readonly atLeast: number;
  readonly atMost?: number;
  /** Why, in the refusal and in the README. */
  readonly because: string;
}

/** One row of the table: parser, help text, completion and README follow from it. */
export interface Option<T = unknown> {
  readonly type: OptionType<T>;
  readonly default?: T;
  /** The start is refused without it. */
  readonly required?: true;
  /** Its value never appears in a message. */
  readonly secret?: true;
  /** Names a file that is refused when every user can read it. */
  readonly ownerOnly?: true;
  readonly safe?: SafeRange;
  readonly description: string;
}

/** Options by key, in the order of help and README. */
export type OptionTable = ReadonlyMap<string, Option>;

/** `rds.privateKeyFile` -> `--rds-private-key-file`. */
export function flagOf(key: string): `--${string}` {
  return `--${words(key).join('-')}`;
}

/** `rds.privateKeyFile` -> `REATTACH_RDS_PRIVATE_KEY_FILE`. */
export function environmentVariableOf(key: string): `REATTACH_${string}` {
  return `REATTACH_${words(key).join('_').toUpperCase()}`;
}

/** The default as an operator would write it. */
export function defaultOf({ type, default: value }: Option): string | undefined {
  return value === undefined ? undefined : type.format(value);
}

/** `at least 10s`, `1m to 5m`. */
export function safeRangeOf({ type, safe }: Option): string | undefined {
  if (!safe) return undefined;
  const { atLeast, atMost } = safe;
  return atMost === undefined
    ? `at least ${type.format(atLeast)}`
    : `${type.format(atLeast)} to ${type.format(atMost)}`;
}

function words(key: string): readonly string[] {
  return key.replaceAll(/[A-Z]/g, (letter) => `.${letter.toLowerCase()}`).split(/[.-]/);
}
