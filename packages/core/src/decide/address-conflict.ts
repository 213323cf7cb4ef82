import { isInCidr } from '../model/ip-cidr.ts';
import type { AddressPolicy } from '../model/policy.ts';
import type { ClusterView } from '../view/cluster-view.ts';
import { NodeIndex } from '../view/node-index.ts';

/** Says of a lost node why one of its addresses must not be fenced; `undefined` when all are its own. */
export type AddressConflicts = (nodeName: string) => string | undefined;

/**
 * Finds addresses that do not belong to exactly one node: claimed by a second Node, Ready or not, reserved for something else,
 * or outside the allowed ranges. The fence would cut off the other claimant.
 */
export function addressConflicts(
  { nodes, storageNodes }: Pick<ClusterView, 'nodes' | 'storageNodes'>,
  { allowedCidrs, reserved }: AddressPolicy,
): AddressConflicts {
  if (storageNodes.size === 0) return () => undefined;
  const index = NodeIndex.of(nodes);
  return (nodeName) => {
    for (const { kind, value } of storageNodes.get(nodeName)?.addresses ?? []) {
      const other = index.claimantsOf(value).find((name) => name !== nodeName);
      if (other !== undefined) return `Address ${value} is claimed by node ${nodeName} and by node ${other}`;
      const reservation = reserved.find(({ address }) => address === value);
      if (reservation)
        return `Address ${value} is claimed by node ${nodeName} and is that of ${reservation.claimant}`;
      if (kind === 'ip' && allowedCidrs.length > 0 && !allowedCidrs.some((cidr) => isInCidr(value, cidr)))
        return `Address ${value} of node ${nodeName} is outside storage.allowedCidrs ${allowedCidrs.join(', ')}`;
    }
    return undefined;
  };
}
