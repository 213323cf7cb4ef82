import { isIPv6 } from 'node:net';
import type { Mode, NodeFact } from '@reattach/core';
import { type Check, failed, ok, warning } from './check.ts';

const NAME = 'node addresses';
const ANNOTATE = 'kubectl annotate node NODE reattach.srvlab.io/storage-addresses=ADDRESS[,ADDRESS]';

/** By which addresses the backend knows each node. Sessions are read and fences are written for IPv4 only. */
export function nodeAddressesCheck(
  nodes: readonly Pick<NodeFact, 'name' | 'storageAddresses'>[],
  mode: Mode,
): Check {
  const namesWhere = (matches: (addresses: readonly string[]) => boolean) =>
    nodes.filter(({ storageAddresses }) => matches(storageAddresses)).map(({ name }) => name);
  const unknown = namesWhere((addresses) => addresses.length === 0);
  const onlyV6 = namesWhere((addresses) => addresses.length > 0 && addresses.every(isV6));
  const dual = namesWhere((addresses) => addresses.some(isV6) && !addresses.every(isV6));
  const problems = [
    ...(unknown.length > 0 ? [`Not known for ${unknown.join(', ')}`] : []),
    ...(onlyV6.length > 0
      ? [`IPv6 only, which the backend is neither asked about nor fences: ${onlyV6.join(', ')}`]
      : []),
    ...(dual.length > 0
      ? [`IPv6 beside IPv4, and fences are IPv4 only, so mode fence would fail: ${dual.join(', ')}`]
      : []),
  ];
  if (problems.length === 0) return ok(NAME, `Known for all ${nodes.length} nodes`);
  const isFatal = unknown.length > 0 || onlyV6.length > 0 || mode === 'fence';
  const fix =
    dual.length > 0 || onlyV6.length > 0
      ? `${ANNOTATE} with the IPv4 addresses it reaches the backend from`
      : ANNOTATE;
  return (isFatal ? failed : warning)(NAME, problems.join('; '), fix);
}

function isV6(address: string): boolean {
  return isIPv6(address.replace(/\/\d+$/, '')) && !/^::ffff:\d+\./i.test(address);
}
