import type { StorageAddress } from '../model/storage-address.ts';
import type { StorageReading } from '../model/storage-reading.ts';
import type { ClusterView } from '../view/cluster-view.ts';

/** What passes know beyond caches and backends. Reading it changes nothing. */
export interface PassHistory {
  /** Since when a Node has been gone, epoch ms. */
  absentSinceMs(nodeName: string): number | undefined;
  /** Nodes lost in the breaker's window, these ones included: name -> since when, epoch ms. */
  recentLosses(nodes: ClusterView['nodes']): ReadonlyMap<string, number>;
  /** What the backend said to the last pass that asked it, also when it could not be read. */
  lastReading(backendName: string): StorageReading | undefined;
  /** Addresses of a node as they were last named to the backend: some are recorded where no cache knows them. */
  storageAddresses(backendName: string, nodeName: string): readonly StorageAddress[];
}
