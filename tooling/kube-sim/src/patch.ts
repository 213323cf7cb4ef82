import { isDeepStrictEqual } from 'node:util';
import { KubeSimError } from './kube-sim-error.ts';

type Json = unknown;
type JsonObject = Readonly<Record<string, Json>>;

function isObject(value: Json): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** RFC 7396: null deletes, objects merge, everything else (lists too) replaces. Changes neither argument. */
export function mergePatch(target: Json, patch: Json): Json {
  if (!isObject(patch)) return patch;
  const merged: Record<string, Json> = isObject(target) ? { ...target } : {};
  for (const [key, value] of Object.entries(patch)) {
    if (value === null) delete merged[key];
    else merged[key] = mergePatch(merged[key], value);
  }
  return merged;
}

/** One operation of a JSON patch. */
interface Operation {
  readonly op: string;
  readonly path: string;
  readonly from?: string;
  readonly value?: Json;
}

/**
 * RFC 6902. Changes no argument.
 * @throws {KubeSimError} BadRequest for anything but a patch, Invalid for one that does not apply.
 */
export function jsonPatch(target: Json, patch: Json): Json {
  if (!Array.isArray(patch))
    throw new KubeSimError('BadRequest', 'a JSON patch must be a list of operations');
  return patch.reduce<Json>((document, operation: Json) => applyOperation(document, operation), target);
}

function applyOperation(document: Json, operation: Json): Json {
  if (!isOperation(operation)) {
    throw new KubeSimError('BadRequest', `not a JSON patch operation: ${JSON.stringify(operation)}`);
  }
  const path = pointer(operation.path);
  const from = () => pointer(operation.from ?? '');
  switch (operation.op) {
    case 'add':
      return put(document, path, operation.value, operation.path);
    case 'replace':
      read(document, path, operation.path);
      return put(remove(document, path, operation.path), path, operation.value, operation.path);
    case 'remove':
      return remove(document, path, operation.path);
    case 'move': {
      const value = read(document, from(), operation.from ?? '');
      return put(remove(document, from(), operation.from ?? ''), path, value, operation.path);
    }
    case 'copy':
      return put(document, path, read(document, from(), operation.from ?? ''), operation.path);
    case 'test':
      if (isDeepStrictEqual(read(document, path, operation.path), operation.value)) return document;
      throw new KubeSimError('Invalid', `testing path ${operation.path} failed`);
    default:
      throw new KubeSimError('BadRequest', `unknown JSON patch operation ${JSON.stringify(operation.op)}`);
  }
}

function isOperation(value: Json): value is Operation {
  return isObject(value) && typeof value['op'] === 'string' && typeof value['path'] === 'string';
}

function pointer(path: string): readonly string[] {
  return path
    .split('/')
    .slice(1)
    .map((token) => token.replaceAll('~1', '/').replaceAll('~0', '~'));
}

function missing(path: string): never {
  throw new KubeSimError('Invalid', `JSON patch path ${JSON.stringify(path)} does not exist`);
}

/** The index a pointer token names in a list; `-` is the place behind the last element. */
function indexOf(list: readonly Json[], token: string, max: number, path: string): number {
  const index = token === '-' ? list.length : Number(token);
  return Number.isInteger(index) && index >= 0 && index <= max ? index : missing(path);
}

function read(document: Json, [token, ...rest]: readonly string[], path: string): Json {
  if (token === undefined) return document;
  if (Array.isArray(document)) {
    return read(document[indexOf(document, token, document.length - 1, path)], rest, path);
  }
  return isObject(document) && Object.hasOwn(document, token)
    ? read(document[token], rest, path)
    : missing(path);
}

function put(document: Json, [token, ...rest]: readonly string[], value: Json, path: string): Json {
  if (token === undefined) return value;
  if (Array.isArray(document)) {
    const last = rest.length === 0;
    const index = indexOf(document, token, last ? document.length : document.length - 1, path);
    return last
      ? document.toSpliced(index, 0, value)
      : document.with(index, put(document[index], rest, value, path));
  }
  if (!isObject(document) || (rest.length > 0 && !Object.hasOwn(document, token))) return missing(path);
  return { ...document, [token]: put(document[token], rest, value, path) };
}

function remove(document: Json, [token, ...rest]: readonly string[], path: string): Json {
  if (token === undefined) return undefined;
  if (Array.isArray(document)) {
    const index = indexOf(document, token, document.length - 1, path);
    return rest.length === 0
      ? document.toSpliced(index, 1)
      : document.with(index, remove(document[index], rest, path));
  }
  if (!isObject(document) || !Object.hasOwn(document, token)) return missing(path);
  if (rest.length > 0) return { ...document, [token]: remove(document[token], rest, path) };
  const { [token]: _, ...others } = document;
  return others;
}
