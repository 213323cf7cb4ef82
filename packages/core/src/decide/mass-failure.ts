import type { BreakerPolicy } from '../model/policy.ts';
import type { ClusterView } from '../view/cluster-view.ts';

/** Says of a lost node why so many were lost together with it that nothing is released; `undefined` when they were not. */
export type MassFailure = (nodeName: string) => string | undefined;

/**
 * Counts losses that lie within one window of each other: so many at once are more likely a fault of a network or of the API
 * server than of the nodes. Only nodes that hold attachments count, and of names without a Node only those that were seen as
 * Nodes. A node that was lost weeks before the others does not count for them.
 * @see node-lifecycle's "master disruption mode", the same idea
 */
export function massFailure(
  { nodes, recentLosses }: Pick<ClusterView, 'nodes' | 'recentLosses'>,
  policy: BreakerPolicy,
  holdsAttachments: (nodeName: string) => boolean,
): MassFailure {
  const losses = new Map<string, number>(recentLosses);
  const lostNow = new Set<string>();
  let size = 0;
  for (const state of nodes.values()) {
    const isKnown = state.kind !== 'gone' || state.lastSeen !== undefined;
    if (isKnown) size++;
    if (state.kind === 'ready' || !isKnown || !holdsAttachments(state.name)) continue;
    losses.set(state.name, state.sinceMs);
    lostNow.add(state.name);
  }
  return (nodeName) => {
    const state = nodes.get(nodeName);
    if (!state || state.kind === 'ready') return undefined;
    const near = [...losses].filter(([, sinceMs]) => Math.abs(sinceMs - state.sinceMs) < policy.windowMs);
    const lost = near.filter(([name]) => lostNow.has(name)).length;
    if (lost > policy.maxNodes && lost >= policy.maxFraction * size)
      return `${lost} of ${size} nodes were lost at once`;
    if (near.length > policy.maxNodesPerWindow)
      return `${near.length} nodes were lost within ${policy.windowMs / 60_000} min`;
    return undefined;
  };
}
