import { type StorageNode, storageIdentity } from '../model/storage-query.ts';
import { type ClusterView, type LostNode, nodeFactOf } from './cluster-view.ts';

type Nodes = ClusterView['nodes'];

/**
 * What rules derive from all nodes of a view. Each part is computed when it is first needed and once for each map of nodes, which
 * views share while no Node changes: a pass then costs what is lost, not what exists.
 */
export class NodeIndex {
  static readonly #indexes = new WeakMap<Nodes, NodeIndex>();
  readonly #nodes: Nodes;
  #lost: readonly LostNode[] | undefined;
  #readyPeers: readonly StorageNode[] | undefined;
  #claimants: ReadonlyMap<string, readonly string[]> | undefined;

  private constructor(nodes: Nodes) {
    this.#nodes = nodes;
  }

  /** @param nodes must not change afterwards */
  static of(nodes: Nodes): NodeIndex {
    const known = NodeIndex.#indexes.get(nodes);
    if (known) return known;
    const index = new NodeIndex(nodes);
    NodeIndex.#indexes.set(nodes, index);
    return index;
  }

  /** Every node that is not ready. */
  get lost(): readonly LostNode[] {
    this.#lost ??= [...this.#nodes.values()].filter((state) => state.kind !== 'ready');
    return this.#lost;
  }

  /** How many Nodes exist or were seen before they were deleted. */
  get knownCount(): number {
    const unknown = this.lost.filter((state) => state.kind === 'gone' && !state.lastSeen);
    return this.#nodes.size - unknown.length;
  }

  /** The ready nodes as backends know them. */
  get readyPeers(): readonly StorageNode[] {
    this.#readyPeers ??= [...this.#nodes.values()].flatMap((state) =>
      state.kind === 'ready' ? storageIdentity(state.node) : [],
    );
    return this.#readyPeers;
  }

  /** Names of the existing Nodes that claim an address now. An address that a Node's status has lost is not claimed. */
  claimantsOf(address: string): readonly string[] {
    this.#claimants ??= claimantsIn(this.#nodes);
    return this.#claimants.get(address) ?? [];
  }
}

function claimantsIn(nodes: Nodes): ReadonlyMap<string, readonly string[]> {
  const claimants = new Map<string, string[]>();
  for (const state of nodes.values()) {
    const fact = state.kind === 'gone' ? undefined : nodeFactOf(state);
    for (const address of fact?.storageAddresses ?? []) {
      if (fact?.formerAddresses?.some((former) => former.address === address)) continue;
      const names = claimants.get(address);
      if (names) names.push(state.name);
      else claimants.set(address, [state.name]);
    }
  }
  return claimants;
}
