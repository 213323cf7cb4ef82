import type { BreakerPolicy } from '../model/policy.ts';
import type { ClusterView } from '../view/cluster-view.ts';
import { NodeIndex } from '../view/node-index.ts';

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
  const index = NodeIndex.of(nodes);
  const losses = new Map<string, number>(recentLosses);
  const lostNow: number[] = [];
  for (const state of index.lost) {
    if ((state.kind === 'gone' && !state.lastSeen) || !holdsAttachments(state.name)) continue;
    losses.set(state.name, state.sinceMs);
    lostNow.push(state.sinceMs);
  }
  const size = index.knownCount;
  const sinceMs = new SortedTimes(losses.values());
  const lostNowSinceMs = new SortedTimes(lostNow);
  return (nodeName) => {
    const state = nodes.get(nodeName);
    if (!state || state.kind === 'ready') return undefined;
    const near = sinceMs.countWithin(policy.windowMs, state.sinceMs);
    const lost = lostNowSinceMs.countWithin(policy.windowMs, state.sinceMs);
    if (lost > policy.maxNodes && lost >= policy.maxFraction * size)
      return `${lost} of ${size} nodes were lost at once`;
    if (near > policy.maxNodesPerWindow)
      return `${near} nodes were lost within ${policy.windowMs / 60_000} min`;
    return undefined;
  };
}

/** Times in order, so that counting those near one moment does not read all of them. */
class SortedTimes {
  readonly #timesMs: readonly number[];

  constructor(timesMs: Iterable<number>) {
    this.#timesMs = [...timesMs].toSorted((a, b) => a - b);
  }

  /** How many are less than `windowMs` away from `atMs`, before or after. */
  countWithin(windowMs: number, atMs: number): number {
    const end = this.#firstIndex((timeMs) => timeMs - atMs >= windowMs);
    return end - this.#firstIndex((timeMs) => atMs - timeMs < windowMs);
  }

  /** @param isReached once true, it is true for every later time */
  #firstIndex(isReached: (timeMs: number) => boolean): number {
    let [low, high] = [0, this.#timesMs.length];
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (isReached(this.#timesMs[middle] ?? Number.NaN)) high = middle;
      else low = middle + 1;
    }
    return low;
  }
}
