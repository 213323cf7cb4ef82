import type { ClusterView, NodeState } from './cluster-view.ts';

/** Lost nodes that count towards a mass failure: they hold attachments of ours and were seen as Nodes. */
export function countedLosses({
  nodes,
  attachments,
}: Pick<ClusterView, 'nodes' | 'attachments'>): ClusterView['nodes'] {
  const counted = new Map<string, NodeState>();
  for (const { attachment } of attachments) {
    const state = nodes.get(attachment.nodeName);
    if (!state || state.kind === 'ready' || (state.kind === 'gone' && !state.lastSeen)) continue;
    counted.set(state.name, state);
  }
  return counted;
}

/**
 * Remembers which nodes were lost within a window, so that a node that flaps counts although it is Ready again. After a restart it
 * knows only the nodes that are still lost: the breaker then opens later, and every release is still preceded by a fence.
 */
export class LossHistory {
  readonly #losses = new Map<string, number>();
  readonly #windowMs: number;

  constructor(windowMs: number) {
    this.#windowMs = windowMs;
  }

  /** Records the nodes that are lost now, and drops losses older than the window. */
  record(nodes: ClusterView['nodes'], nowMs: number): void {
    const losses = this.including(nodes, nowMs);
    this.#losses.clear();
    for (const [name, sinceMs] of losses) this.#losses.set(name, sinceMs);
  }

  /** Every loss within the window, those of `nodes` included: name -> since when, epoch ms. Changes nothing. */
  including(nodes: ClusterView['nodes'], nowMs: number): ReadonlyMap<string, number> {
    const losses = new Map(this.#losses);
    for (const node of nodes.values()) if (node.kind !== 'ready') losses.set(node.name, node.sinceMs);
    for (const [name, sinceMs] of losses) if (nowMs - sinceMs >= this.#windowMs) losses.delete(name);
    return losses;
  }
}
