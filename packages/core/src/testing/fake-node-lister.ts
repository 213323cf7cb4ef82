import type { NodeFact } from '../model/facts.ts';
import type { NodeLister } from '../ports/ports.ts';

/** Nodes in a map, with errors on demand. A Node that was never set does not exist. */
export class FakeNodeLister implements NodeLister {
  /** Names asked for, in order. */
  readonly calls: string[] = [];
  readonly #nodes = new Map<string, NodeFact>();
  readonly #errors = new Map<string, Error>();

  constructor(nodes: readonly NodeFact[] = []) {
    for (const node of nodes) this.set(node);
  }

  set(node: NodeFact): void {
    this.#nodes.set(node.name, node);
  }

  delete(name: string): void {
    this.#nodes.delete(name);
  }

  /** From now on asking for `name` rejects with `error`; without an error it answers again. */
  fail(name: string, error?: Error): void {
    if (error) this.#errors.set(name, error);
    else this.#errors.delete(name);
  }

  async getNode(name: string, signal: AbortSignal): Promise<NodeFact | undefined> {
    signal.throwIfAborted();
    this.calls.push(name);
    const error = this.#errors.get(name);
    if (error) throw error;
    return this.#nodes.get(name);
  }
}
