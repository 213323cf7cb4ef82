import type { ClusterView, NodeState } from './cluster-view.ts';

/** Lost nodes that count towards a mass failure: they hold attachments of ours and were seen as Nodes. */
export function countedLosses(
  { nodes, attachments }: Pick<ClusterView, 'nodes' | 'attachments'>,
  attacher: string,
): ClusterView['nodes'] {
  const counted = new Map<string, NodeState>();
  for (const { attachment } of attachments) {
    const state = attachment.attacher === attacher ? nodes.get(attachment.nodeName) : undefined;
    if (!state || state.kind === 'ready' || (state.kind === 'gone' && !state.lastSeen)) continue;
    counted.set(state.name, state);
  }
  return counted;
}

/**
 * Remembers which nodes were lost within a window, so that nodes that flap count although they are back. After a restart
 * it knows only those that are still lost; the breaker then opens later, and what it let through is still fenced.
 */
export class LossHistory {
  readonly #losses = new Map<string, number>();
  readonly #windowMs: number;

  constructor(windowMs: number) {
    this.#windowMs = windowMs;
  }

  /** Notes the nodes lost now; returns every loss within the window: name -> since when. */
  record(nodes: ClusterView['nodes'], nowMs: number): ReadonlyMap<string, number> {
    for (const node of nodes.values()) if (node.kind !== 'ready') this.#losses.set(node.name, node.sinceMs);
    for (const [name, sinceMs] of this.#losses)
      if (nowMs - sinceMs >= this.#windowMs) this.#losses.delete(name);
    return new Map(this.#losses);
  }

  /** What {@link record} would return, recording nothing. Losses that have left the window since may still be among them. */
  with(nodes: ClusterView['nodes']): ReadonlyMap<string, number> {
    const losses = new Map(this.#losses);
    for (const node of nodes.values()) if (node.kind !== 'ready') losses.set(node.name, node.sinceMs);
    return losses;
  }
}
