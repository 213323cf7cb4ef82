import type { VolumeAttachmentFact } from '../model/facts.ts';
import type { Policy } from '../model/policy.ts';
import type { StorageAddress } from '../model/storage-address.ts';
import type { StorageQuery } from '../model/storage-query.ts';
import type { StorageReading } from '../model/storage-reading.ts';
import type { ClusterView, UnreadView } from '../view/cluster-view.ts';
import { lostIn, queryAbout, withAddresses, withFencedAddresses } from '../view/storage-query.ts';

/** What the caches show and what passes remember, as data: everything `evaluate()` judges beside the readings. */
export interface Facts extends UnreadView, Pick<ClusterView, 'recentLosses'> {
  /** Names of the configured backends. */
  readonly backends: readonly string[];
  /** Backends whose fences may have changed since they were read, by name. */
  readonly unreadFences: ReadonlySet<string>;
  /** Nodes with a fence of ours, as passes made it or last read it: name of the backend -> names of the nodes. */
  readonly fencedNodes: ReadonlyMap<string, ReadonlySet<string>>;
  /**
   * Fences whose node nothing was taken from, as this term of leadership observed it, by id, with the attachments that the node
   * held when it was lost.
   */
  readonly untouched: ReadonlyMap<string, readonly VolumeAttachmentFact[]>;
  /** Addresses that an earlier process recorded for nodes that no cache knows, by name of the node. */
  readonly recordedAddresses: ReadonlyMap<string, readonly StorageAddress[]>;
}

/** What the backends said, by name of the backend. */
export interface Readings {
  /** The answers to queries about lost nodes, also of a backend that could not be read. */
  readonly answers: ReadonlyMap<string, StorageReading>;
  /** The last reading that succeeded, whatever the query: only our own writes change which fences there are. */
  readonly latest: ReadonlyMap<string, StorageReading>;
}

/** The facts that concern one backend: its attachments, and the lost nodes with every address it may know them by. */
export function factsAt(facts: Facts, backendName: string, latest: StorageReading | undefined): Facts {
  const storageNodes = new Map(withFencedAddresses(facts.storageNodes, latest));
  for (const node of storageNodes.values()) {
    const recorded = facts.recordedAddresses.get(node.name);
    if (node.addressesFrom === 'pods' && recorded) storageNodes.set(node.name, withAddresses(node, recorded));
  }
  const attachments = facts.attachments.filter(({ backend }) => backend?.name === backendName);
  return { ...facts, attachments, storageNodes };
}

/**
 * Whether the backend is asked about lost nodes: it holds a volume of one, or may hold a fence of ours.
 * @param at the facts of {@link factsAt}
 */
export function isQueried(at: Facts, backendName: string, latest: StorageReading | undefined): boolean {
  return lostIn(at).length > 0 || mayHoldFence(at, backendName, latest);
}

/** The last reading shows fences, passes know of one, or they may have changed since the reading. */
export function mayHoldFence(
  { fencedNodes, unreadFences }: Facts,
  backendName: string,
  latest: StorageReading | undefined,
): boolean {
  return (
    (latest?.fences ?? []).length > 0 ||
    (fencedNodes.get(backendName)?.size ?? 0) > 0 ||
    unreadFences.has(backendName)
  );
}

/** @param at the facts of {@link factsAt} */
export function queryAt(at: Facts, { attacher }: Pick<Policy, 'attacher'>): StorageQuery {
  return queryAbout(at, lostIn(at), attacher);
}
