import type { NodeFact } from '@reattach/core';
import { DeletedFinalStateUnknown } from './deleted-final-state-unknown.ts';
import type { InformerHandlers } from './handler-registry.ts';

/** Deleted Nodes remembered at most; the one deleted first is forgotten first. */
const LIMIT = 1_000;

/** The last states of Nodes that were deleted and have not come back. */
export class LastSeenNodes implements InformerHandlers<NodeFact> {
  readonly #nodes = new Map<string, NodeFact>();

  get(name: string): NodeFact | undefined {
    return this.#nodes.get(name);
  }

  onAdd({ name }: NodeFact): void {
    this.#nodes.delete(name);
  }

  onDelete(last: NodeFact | DeletedFinalStateUnknown<NodeFact>): void {
    const node = last instanceof DeletedFinalStateUnknown ? last.last : last;
    this.#nodes.set(node.name, node);
    if (this.#nodes.size <= LIMIT) return;
    for (const oldest of this.#nodes.keys()) {
      this.#nodes.delete(oldest);
      return;
    }
  }
}
