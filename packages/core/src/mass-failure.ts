import type { ClusterView } from './cluster-view.ts';
import type { BreakerPolicy } from './policy.ts';

/**
 * Says why so many nodes look lost at once that the fault is more likely ours (a network, an API server, the box) than
 * theirs, or `undefined` when it does not look so.
 * @see design rule 3; node-lifecycle's "master disruption mode" is the same idea
 */
export function massFailure(view: ClusterView, policy: BreakerPolicy, nowMs: number): string | undefined {
  const lost = [...view.nodes.values()].filter((node) => node.kind !== 'ready').length;
  const total = view.nodes.size;
  if (lost > policy.maxNodes && lost >= policy.maxFraction * total) {
    return `${lost} of ${total} nodes are lost at once`;
  }
  const recent = [...view.recentLosses.values()].filter(
    (sinceMs) => nowMs - sinceMs < policy.windowMs,
  ).length;
  if (recent > policy.maxNodesPerWindow) {
    return `${recent} nodes were lost within ${policy.windowMs / 60_000} min`;
  }
  if (view.storage?.liveHosts === 0) return 'all sessions at the box are gone';
  return undefined;
}
