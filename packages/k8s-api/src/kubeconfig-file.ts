import { readFileSync } from 'node:fs';
import { dirname, isAbsolute, join } from 'node:path';
import { parseDocument } from 'yaml';
import { asObject, type JsonObject } from './json-reader.ts';
import type { KubeApiError } from './kube-api-error.ts';
import { badConfig } from './translate-error.ts';

/** The three kinds of named entries in a kubeconfig. */
export type EntryKind = 'cluster' | 'user' | 'context';

/** A named entry and its file, for messages and for relative paths in it. */
export interface KubeconfigEntry {
  readonly file: string;
  readonly name: string;
  readonly kind: EntryKind;
  readonly fields: JsonObject;
  /** The context that uses it. */
  readonly context?: string;
}

/** One kubeconfig file. */
export interface KubeconfigFile {
  readonly file: string;
  readonly currentContext: string | undefined;
  readonly entries: readonly KubeconfigEntry[];
}

/**
 * Reads one file. An error never quotes its content, which holds credentials.
 * @returns `undefined` when the file does not exist. @throws {KubeApiError} `BAD_CONFIG`
 */
export function readKubeconfigFile(file: string): KubeconfigFile | undefined {
  const text = readText(file);
  if (text === undefined) return undefined;
  const root = parseYaml(file, text);
  const currentContext = root['current-context'];
  if (currentContext !== undefined && currentContext !== null && typeof currentContext !== 'string')
    throw badConfig(`kubeconfig ${file}: current-context is not a text`);
  return {
    file,
    currentContext: currentContext || undefined,
    entries: (['cluster', 'user', 'context'] as const).flatMap((kind) => entriesOf(file, root, kind)),
  };
}

function readText(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8');
  } catch (err) {
    if (asObject(err)?.['code'] === 'ENOENT') return undefined;
    throw badConfig(`kubeconfig ${file} cannot be read`, err);
  }
}

function parseYaml(file: string, text: string): JsonObject {
  const document = parseDocument(text);
  const [error] = document.errors;
  if (error) {
    const [position] = error.linePos ?? [];
    const where = position ? ` in line ${position.line}, column ${position.col}` : '';
    throw badConfig(`kubeconfig ${file} is not YAML: ${error.code}${where}`);
  }
  let content: unknown;
  try {
    content = document.toJS({ maxAliasCount: 100 });
  } catch {
    throw badConfig(`kubeconfig ${file} has too many YAML aliases, or one that has no anchor`);
  }
  if (content === null || content === undefined) return {}; // an empty file is valid for kubectl, too
  const root = asObject(content);
  if (!root) throw badConfig(`kubeconfig ${file} is not a YAML mapping`);
  return root;
}

function entriesOf(file: string, root: JsonObject, kind: EntryKind): KubeconfigEntry[] {
  const list = root[`${kind}s`];
  if (list === undefined || list === null) return [];
  if (!Array.isArray(list)) throw badConfig(`kubeconfig ${file}: ${kind}s is not a list`);
  return list.map((item: unknown, index) => {
    const entry = asObject(item);
    const name = entry?.['name'];
    if (!entry || typeof name !== 'string' || name === '')
      throw badConfig(`kubeconfig ${file}: ${kind}s[${index}].name is missing or not a text`);
    const fields = entry[kind] ?? {};
    const object = asObject(fields);
    if (!object) throw badConfig(`kubeconfig ${file}: ${kind} "${name}" is not a mapping`);
    return { file, name, kind, fields: object };
  });
}

/** Says of an entry what is wrong with one of its fields. */
export function badField(
  { file, kind, name, context }: KubeconfigEntry,
  field: string,
  problem: string,
  cause?: unknown,
): KubeApiError {
  const user = context === undefined ? '' : ` of context "${context}"`;
  return badConfig(`kubeconfig ${file}: ${kind} "${name}"${user}: ${field} ${problem}`, cause);
}

/** @returns the text of a field, `undefined` when it is absent or empty. @throws {KubeApiError} `BAD_CONFIG` */
export function fieldText(entry: KubeconfigEntry, field: string): string | undefined {
  const value = entry.fields[field];
  if (value === undefined || value === null || value === '') return undefined;
  if (typeof value !== 'string') throw badField(entry, field, 'is not a text');
  return value;
}

/** @returns a field that is true or false, `false` when it is absent. @throws {KubeApiError} `BAD_CONFIG` */
export function fieldBoolean(entry: KubeconfigEntry, field: string): boolean {
  const value = entry.fields[field] ?? false;
  if (typeof value !== 'boolean') throw badField(entry, field, 'is neither true nor false');
  return value;
}

/** @returns the absolute path of a file that a field names and that can be read. @throws {KubeApiError} `BAD_CONFIG` */
export function fieldPath(entry: KubeconfigEntry, field: string): string | undefined {
  const path = fieldText(entry, field);
  if (path === undefined) return undefined;
  const absolute = besideFile(entry, path);
  try {
    readFileSync(absolute);
  } catch (err) {
    throw badField(entry, field, 'names a file that cannot be read', err);
  }
  return absolute;
}

/** Relative paths in a kubeconfig start at the folder of the file that holds them. */
export function besideFile({ file }: KubeconfigEntry, path: string): string {
  return isAbsolute(path) ? path : join(dirname(file), path);
}

/** @returns base64 text of a field that decodes to PEM. @throws {KubeApiError} `BAD_CONFIG` */
export function fieldPem(entry: KubeconfigEntry, field: string): string | undefined {
  const data = fieldText(entry, field);
  if (data !== undefined && !Buffer.from(data, 'base64').includes('-----BEGIN '))
    throw badField(entry, field, 'is not PEM in base64');
  return data;
}
