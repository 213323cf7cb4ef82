import type { BreakerPolicy } from '../model/policy.ts';
import type { ClusterView } from '../view/cluster-view.ts';

/**
 * Says why so many nodes look lost at once that the fault is more likely ours (a network, an API server) than theirs, or
 * `undefined` when it does not look so.
 * @see design rule 3; node-lifecycle's "master disruption mode" is the same idea
 */
export function massFailure(
  { nodes, recentLosses }: Pick<ClusterView, 'nodes' | 'recentLosses'>,
  policy: BreakerPolicy,
  nowMs: number,
): string | undefined {
  let lost = 0;
  for (const node of nodes.values()) if (node.kind !== 'ready') lost++;
  if (lost > policy.maxNodes && lost >= policy.maxFraction * nodes.size) {
    return `${lost} of ${nodes.size} nodes are lost at once`;
  }
  let recent = 0;
  for (const sinceMs of recentLosses.values()) if (nowMs - sinceMs < policy.windowMs) recent++;
  if (recent > policy.maxNodesPerWindow) {
    return `${recent} nodes were lost within ${policy.windowMs / 60_000} min`;
  }
  return undefined;
}
