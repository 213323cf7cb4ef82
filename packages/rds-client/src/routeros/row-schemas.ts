import { canonicalIp } from '@reattach/tcp-evidence';
import * as z from 'zod';
import { parseDuration } from './duration.ts';
import { type Endpoint, parseEndpoint } from './ip-address.ts';
import type { Parsed, Row } from './reply.ts';

/** Values of RouterOS' records, in every spelling that its versions have, and lists of records. */

export const text: z.ZodType<string> = z.union([z.string(), z.number(), z.boolean()]).transform(String);

export const flag: z.ZodType<boolean> = z
  .union([z.boolean(), z.enum(['true', 'false', 'yes', 'no'])])
  .transform((value) => value === true || value === 'true' || value === 'yes');

export const count: z.ZodType<string> = text.refine((value) => /^\d{1,20}$/.test(value), 'is not a number');

export const duration: z.ZodType<number> = text.transform((value, context) => {
  const parsed = parseDuration(value);
  if (parsed !== undefined) return parsed;
  context.addIssue('is not a duration');
  return z.NEVER;
});

export const address: z.ZodType<string> = text.transform((value, context) => {
  const parsed = canonicalIp(value);
  if (parsed !== undefined) return parsed;
  context.addIssue('is not a single address');
  return z.NEVER;
});

export const endpoint: z.ZodType<Endpoint> = text.transform((value, context) => {
  const parsed = parseEndpoint(value);
  if (parsed !== undefined) return parsed;
  context.addIssue('is not an address');
  return z.NEVER;
});

export const port: z.ZodType<number> = text.transform((value, context) => {
  const parsed = /^\d{1,5}$/.test(value) ? Number(value) : 0;
  if (parsed >= 1 && parsed <= 65_535) return parsed;
  context.addIssue('is not a port');
  return z.NEVER;
});

/** Empty when the property is not set. */
export function optional<T extends z.ZodType>(schema: T): z.ZodType<z.output<T> | undefined> {
  return z.preprocess((value) => (value === '' || value === null ? undefined : value), schema.optional());
}

/** Rows of a list with what was not understood of it, in words. */
export interface Rows<T> {
  readonly rows: readonly T[];
  readonly skipped: readonly string[];
}

export function parseOne<T>(label: string, schema: z.ZodType<T>, rows: readonly Row[]): Parsed<T> {
  const parsed = parseAll(label, schema, rows);
  if (!parsed.ok) return parsed;
  const [first, ...more] = parsed.value;
  if (first === undefined || more.length > 0)
    return malformed(`${label} has ${rows.length} records instead of 1`);
  return { ok: true, value: first };
}

export function parseAll<T>(label: string, schema: z.ZodType<T>, rows: readonly Row[]): Parsed<readonly T[]> {
  const values: T[] = [];
  for (const [index, row] of rows.entries()) {
    const parsed = schema.safeParse(row);
    if (!parsed.success) return malformed(`${label}[${index}]${describe(parsed.error, row)}`);
    values.push(parsed.data);
  }
  return { ok: true, value: values };
}

/** A row that is not understood is skipped and said, or replaced by `fallback`. */
export function parseEach<T>(
  label: string,
  schema: z.ZodType<T>,
  rows: readonly Row[],
  fallback?: (row: Row) => T | undefined,
): Rows<T> {
  const values: T[] = [];
  const skipped: string[] = [];
  for (const [index, row] of rows.entries()) {
    const parsed = schema.safeParse(row);
    if (!parsed.success) skipped.push(`${label}[${index}]${describe(parsed.error, row)}`);
    const value = parsed.success ? parsed.data : fallback?.(row);
    if (value !== undefined) values.push(value);
  }
  return { rows: values, skipped };
}

function describe(error: z.ZodError, row: Row): string {
  const issue = error.issues[0];
  const key = String(issue?.path[0] ?? '');
  const missing = key !== '' && row[key] === undefined;
  return `.${key} ${missing ? 'is missing' : issue?.code === 'custom' ? issue.message : 'has an unexpected value'}`;
}

function malformed(detail: string): {
  readonly ok: false;
  readonly fault: { code: 'MALFORMED'; detail: string };
} {
  return { ok: false, fault: { code: 'MALFORMED', detail } };
}
