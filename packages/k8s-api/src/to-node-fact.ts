import { isIP } from 'node:net';
import type { NodeFact, Taint } from '@reattach/core';
import { type JsonObject, objectAt, objectsAt, textAt, textMapAt, timeMsAt } from './json-reader.ts';
import { readObject } from './object-meta.ts';

/** Comma-separated addresses from which the node reaches the storage, beside its InternalIPs. */
const STORAGE_ADDRESSES = 'reattach.srvlab.io/storage-addresses';
/** The fence id an operator declared clean. */
const CLEAN = 'reattach.srvlab.io/clean';
/** The bootID that the node had when a controller tainted it out of service: `<attacher>/<bootID>`. */
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
  const nodeInfo = objectAt(status, 'nodeInfo');
  const bootId = textAt(nodeInfo, 'bootID');
  const machineId = toMachineId(nodeInfo);
  const cleanFenceId = annotations[CLEAN];
  const outOfServiceBootId = annotations[OUT_OF_SERVICE_BOOT_ID]?.split('/').at(-1);
  return {
    name: meta.name,
    uid: meta.uid,
    ready: ready['status'] === 'True',
    ...(readyChangedAtMs !== undefined && { readyChangedAtMs }),
    ...(bootId !== undefined && { bootId }),
    ...(machineId !== undefined && { machineId }),
    ...storageAddresses(annotations[STORAGE_ADDRESSES], status),
    labels: textMapAt(metadata, 'labels'),
    taints: objectsAt(objectAt(object, 'spec'), 'taints').flatMap(toTaint),
    ...(cleanFenceId !== undefined && { cleanFenceId }),
    ...(outOfServiceBootId !== undefined && { outOfServiceBootId }),
  };
}

/** In lower case, because kubelets of different versions differ in it. */
function toMachineId(nodeInfo: JsonObject): string | undefined {
  const systemUuid = textAt(nodeInfo, 'systemUUID');
  const machineId = textAt(nodeInfo, 'machineID');
  if (systemUuid === undefined && machineId === undefined) return undefined;
  return `${systemUuid ?? ''}/${machineId ?? ''}`.toLowerCase();
}

/** The InternalIPs and the annotation's addresses together: an annotation, which a kubelet can write, takes none away. */
function storageAddresses(
  annotation: string | undefined,
  status: JsonObject,
): Pick<NodeFact, 'storageAddresses' | 'unreadableAddresses'> {
  const internalIps = objectsAt(status, 'addresses')
    .filter((address) => address['type'] === 'InternalIP')
    .map((address) => textAt(address, 'address') ?? '');
  const added = annotation?.split(',').map((address) => address.trim()) ?? [];
  const written = [...new Set([...internalIps, ...added].map(canonicalAddress))];
  const unreadable = written.filter((address) => isIP(address) === 0);
  return {
    storageAddresses: written.filter((address) => isIP(address) !== 0),
    ...(unreadable.length > 0 && { unreadableAddresses: unreadable }),
  };
}

/** As backends write it: IPv6 in its short lower-case form, and an IPv4 address written as IPv6 as IPv4. */
function canonicalAddress(text: string): string {
  const address = text.replace(/^::ffff:(?=\d+\.)/i, '');
  const url = isIP(address) === 6 ? `http://[${address}]` : '';
  return URL.canParse(url) ? new URL(url).hostname.slice(1, -1) : address;
}

function toTaint(taint: JsonObject): Taint[] {
  const key = textAt(taint, 'key');
  const effect = textAt(taint, 'effect');
  if (key === undefined || effect === undefined) return [];
  const value = textAt(taint, 'value');
  return [{ key, effect, ...(value !== undefined && { value }) }];
}
