import { isIP } from 'node:net';
import type { NodeFact, Taint } from '@reattach/core';
import { type JsonObject, objectAt, objectsAt, textAt, textMapAt, timeMsAt } from './json-reader.ts';
import { readObject } from './object-meta.ts';

/** Comma-separated addresses from which the node reaches the storage. */
const STORAGE_ADDRESSES = 'reattach.srvlab.io/storage-addresses';
/** The fence id an operator declared clean. */
const CLEAN = 'reattach.srvlab.io/clean';
/** The bootID the node had when we tainted it out of service. */
const OUT_OF_SERVICE_BOOT_ID = 'reattach.srvlab.io/out-of-service-boot-id';

/** Projects a Node, live or watched. Never throws. @returns `undefined` for anything that is not a Node. */
export function toNodeFact(raw: unknown): NodeFact | undefined {
  const read = readObject(raw, 'Node');
  if (!read) return undefined;
  const { object, meta } = read;
  const metadata = objectAt(object, 'metadata');
  const status = objectAt(object, 'status');
  const annotations = textMapAt(metadata, 'annotations');
  const ready = objectsAt(status, 'conditions').find((condition) => condition['type'] === 'Ready') ?? {};
  const readyChangedAtMs = timeMsAt(ready, 'lastTransitionTime');
  const bootId = textAt(objectAt(status, 'nodeInfo'), 'bootID');
  const cleanFenceId = annotations[CLEAN];
  const outOfServiceBootId = annotations[OUT_OF_SERVICE_BOOT_ID];
  return {
    name: meta.name,
    uid: meta.uid,
    ready: ready['status'] === 'True',
    ...(readyChangedAtMs !== undefined && { readyChangedAtMs }),
    ...(bootId !== undefined && { bootId }),
    storageAddresses: storageAddresses(annotations[STORAGE_ADDRESSES], status),
    labels: textMapAt(metadata, 'labels'),
    taints: objectsAt(objectAt(object, 'spec'), 'taints').flatMap(toTaint),
    ...(cleanFenceId !== undefined && { cleanFenceId }),
    ...(outOfServiceBootId !== undefined && { outOfServiceBootId }),
  };
}

/**
 * All or none: a list with one unreadable address would make a node look silent that talks through it. An IPv4 address written
 * as IPv6 is the IPv4 address that backends know.
 */
function storageAddresses(annotation: string | undefined, status: JsonObject): readonly string[] {
  const written =
    annotation?.split(',').map((address) => address.trim()) ??
    objectsAt(status, 'addresses')
      .filter((address) => address['type'] === 'InternalIP')
      .map((address) => textAt(address, 'address') ?? '');
  const addresses = written.map((address) => address.replace(/^::ffff:(?=\d+\.)/i, ''));
  return addresses.every((address) => isIP(address) !== 0) ? [...new Set(addresses)] : [];
}

function toTaint(taint: JsonObject): Taint[] {
  const key = textAt(taint, 'key');
  const effect = textAt(taint, 'effect');
  if (key === undefined || effect === undefined) return [];
  const value = textAt(taint, 'value');
  return [{ key, effect, ...(value !== undefined && { value }) }];
}
