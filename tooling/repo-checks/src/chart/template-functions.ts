import { createHash } from 'node:crypto';
import { stringify } from 'yaml';

/** A function of templates; a fault is an `Error` without a place. */
export type TemplateFunction = (...args: readonly unknown[]) => unknown;

/** What Go's templates take for false. */
export function isEmpty(value: unknown): boolean {
  if (value === undefined || value === null || value === false || value === '' || value === 0) return true;
  if (Array.isArray(value)) return value.length === 0;
  return typeof value === 'object' && Object.keys(value).length === 0;
}

/** As Go prints it. @throws for lists, maps and nothing, which a manifest never wants printed. */
export function toText(value: unknown): string {
  if (typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean')
    return String(value);
  throw new Error(`expected text, a number or a boolean to print, got ${JSON.stringify(value)}`);
}

const indent = (width: unknown, text: unknown): string =>
  toText(text)
    .split('\n')
    .map((line) => ' '.repeat(Number(width)) + line)
    .join('\n');

/** The functions of the subset, with the meaning they have in Helm. */
export const TEMPLATE_FUNCTIONS: Readonly<Record<string, TemplateFunction>> = {
  and: (...args) => args.find(isEmpty) ?? args.at(-1),
  or: (...args) => args.find((arg) => !isEmpty(arg)) ?? args.at(-1),
  not: (value) => isEmpty(value),
  eq: (left, right) => left === right,
  ne: (left, right) => left !== right,
  default: (fallback, value) => (isEmpty(value) ? fallback : value),
  quote: (value) => JSON.stringify(toText(value)),
  toString: (value: unknown) => (value === undefined || value === null ? '' : toText(value)),
  toYaml: (value) => stringify(value, { sortMapEntries: true, lineWidth: 0, indentSeq: false }).trimEnd(),
  indent,
  nindent: (width, text) => `\n${indent(width, text)}`,
  sha256sum: (text) => createHash('sha256').update(toText(text)).digest('hex'),
  required(message, value) {
    if (value === undefined || value === null || value === '') throw new Error(toText(message));
    return value;
  },
};

/** How many arguments each takes; absent: any number but none. */
export const ARITY: Readonly<Record<string, number>> = {
  not: 1,
  eq: 2,
  ne: 2,
  default: 2,
  quote: 1,
  toString: 1,
  toYaml: 1,
  indent: 2,
  nindent: 2,
  sha256sum: 1,
  required: 2,
};
