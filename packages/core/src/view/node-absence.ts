import type { NodeFact } from '../model/facts.ts';
import type { NodeState } from './cluster-view.ts';
import { NodeIndex } from './node-index.ts';

/**
 * Since when Nodes have been missing or NotReady, by our own clock: the API server does not say when a Node was deleted, so its
 * grace counts from the first view that misses it. A restart loses these times, and the grace starts again.
 */
export class NodeAbsence {
  readonly #firstSeenMs = new Map<string, number>();

  /** Records that the Node is missing at `nowMs`. @returns since when it has been missing, epoch ms: the first time counts */
  record(name: string, nowMs: number): number {
    const sinceMs = this.#firstSeenMs.get(name) ?? nowMs;
    this.#firstSeenMs.set(name, sinceMs);
    return sinceMs;
  }

  /** Records that the Node is present: its next absence is another one. */
  forget(name: string): void {
    this.#firstSeenMs.delete(name);
  }

  /** Since when the Node has been missing, epoch ms; `undefined` when that is not recorded. */
  sinceMs(name: string): number | undefined {
    return this.#firstSeenMs.get(name);
  }

  /**
   * Records what a view shows: the absence of a Node that is present ends, and names that the view does not contain are dropped.
   * @param isCurrent `false`: the cache is stale, so a Node that is missing from it may exist
   */
  recordView(nodes: ReadonlyMap<string, NodeState>, isCurrent: boolean, nowMs: number): void {
    for (const name of this.#firstSeenMs.keys()) {
      const state = nodes.get(name);
      if (!state || (state.kind !== 'gone' && !isUndated(state.node))) this.forget(name);
    }
    for (const state of NodeIndex.of(nodes).lost)
      if (state.kind === 'gone' ? isCurrent : isUndated(state.node)) this.record(state.name, nowMs);
  }

  /** Drops every other name, so that memory is bounded by what is still of interest. */
  retainOnly(names: { has(name: string): boolean }): void {
    for (const name of this.#firstSeenMs.keys()) if (!names.has(name)) this.forget(name);
  }
}

/** NotReady since a moment that was not observed. */
function isUndated({ ready, readyObservedAtMs }: NodeFact): boolean {
  return !ready && readyObservedAtMs === undefined;
}
