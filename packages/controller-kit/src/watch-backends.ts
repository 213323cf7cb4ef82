import {
  type BackendWatch,
  type Clock,
  type ClusterReader,
  type Policy,
  type StorageBackend,
  storageIdentity,
} from '@reattach/core';

/** How old a kubelet's Lease is when its node may be dying, ms: it is renewed every 10 s (design, section 6). */
const LEASE_AGE_MS = 10_000;

/** How often the Leases are examined, ms: half of the cadence at which backends are read then. */
const EXAMINE_MS = 2_500;

export interface WatchBackendsOptions {
  readonly cluster: Pick<ClusterReader, 'nodes' | 'nodeLease' | 'leasesFreshAsOfMs'>;
  readonly backends: readonly Pick<StorageBackend, 'watch'>[];
  readonly policy: Pick<Policy, 'attacher'>;
  readonly clusterId: () => string | undefined;
  readonly clock: Clock;
}

/**
 * Tells every backend which nodes there are, and to read closely while one of them may be dying: the close of its queues is
 * visible for 10 s only, and it is the proof that its accepted writes have ended. Every replica does so until disposed.
 */
export function watchBackends(options: WatchBackendsOptions): Disposable {
  const { backends, clock } = options;
  let timer: Disposable | undefined;
  const examine = () => {
    const watch = backendWatch(options);
    for (const backend of backends) backend.watch(watch);
    timer = clock.after(EXAMINE_MS, examine);
  };
  examine();
  return { [Symbol.dispose]: () => timer?.[Symbol.dispose]() };
}

function backendWatch({ cluster, policy, clusterId, clock }: WatchBackendsOptions): BackendWatch {
  const nodes = [...cluster.nodes()];
  const nowMs = clock.now();
  // Without Leases nothing shows early that a node is dying.
  const closely =
    cluster.leasesFreshAsOfMs() === undefined ||
    nodes.some(({ name, ready }) => {
      const lease = cluster.nodeLease(name);
      return !ready || (lease !== undefined && nowMs - lease.observedAtMs >= LEASE_AGE_MS);
    });
  const query = {
    clusterId: clusterId(),
    owner: policy.attacher,
    suspects: [],
    peers: nodes.map(storageIdentity),
  };
  return { query, closely };
}
