import { randomBytes } from 'node:crypto';
import {
  AttachmentManager,
  AttachmentReconciler,
  BackendFleet,
  type BackendPorts,
  type Clock,
  createReconcileMetrics,
  type Logger,
  type PassObserver,
  PlanPreview,
  type Policy,
  ReleasePass,
  type StorageBackend,
} from '@reattach/core';
import { KubeActions } from '@reattach/k8s-actions';
import type { KubeApi } from '@reattach/k8s-api';
import { AttachmentWatcher, KubeCaches, NodeWatcher, readClusterId } from '@reattach/k8s-watch';
import { composeLeading, type LeaderElectionConfig, type Leading } from './leading.ts';
import { reservedAddresses } from './reserved-addresses.ts';
import type { Teardown } from './teardown.ts';
import { untilAborted } from './until-aborted.ts';
import { watchBackends } from './watch-backends.ts';

/** What a controller runs with. */
export interface ControllerConfig {
  /** Everything decisions depend on. `addresses.reserved` is completed with the API server and this machine. */
  readonly policy: Policy;
  /** Longest time between passes, ms. Default: the reconciler's. */
  readonly reconcileIntervalMs?: number;
  /** Absent: this process is the only replica. */
  readonly leaderElection?: LeaderElectionConfig;
}

/** A storage backend of the configuration. */
export interface BackendSource {
  /** Unique among the backends; part of the name of a Lease. */
  readonly name: string;
  /** @returns a backend that is not started yet */
  create(ports: BackendPorts): StorageBackend;
}

export interface ComposeOptions {
  readonly config: ControllerConfig;
  readonly backends: readonly BackendSource[];
  readonly api: KubeApi;
  /** Name of this replica, unique among all processes that ever run. */
  readonly identity: string;
  readonly observer: PassObserver;
  readonly clock: Clock;
  readonly logger: Logger;
  /** In [0, 1): jitter. Default `Math.random`. */
  readonly random?: () => number;
  /** Owns everything that is composed here. */
  readonly teardown: Teardown;
}

/** Calls at the edges of a term of leadership. */
export interface TermListener {
  /** The caches are filled; no pass has run. */
  synced?(): void;
  /** The first pass of a term has ended. */
  started?(): void;
  /** The term is over; another replica may act. */
  ended?(): void;
}

/** The parts of a controller that decide and act. */
export interface ComposedController {
  readonly caches: KubeCaches;
  readonly backends: readonly StorageBackend[];
  readonly leading: Leading;
  readonly reconciler: AttachmentReconciler;
  readonly preview: PlanPreview;
  /** Fills the caches, then runs passes whenever this replica leads, until `signal` aborts. */
  run(signal: AbortSignal, listener?: TermListener): Promise<void>;
}

/**
 * Facts flow from the API server through the caches to the reconciler and the pass; the pass reads the backends, decides, and
 * writes to the backends and the API server. Every replica keeps caches and backends warm; only the leader runs passes.
 */
export function composeController(options: ComposeOptions): ComposedController {
  const { api, identity, clock, logger, random, teardown, observer } = options;
  const { reconcileIntervalMs: intervalMs, leaderElection } = options.config;
  const policy = completePolicy(options);
  const { attacher } = policy;
  const watchLeases = policy.earlyDetection.enabled;
  const caches = teardown.use('caches', new KubeCaches({ api, clock, logger, random, watchLeases }));
  const leading = composeLeading({
    api,
    leaderElection,
    attacher,
    identity,
    clock,
    logger,
    random,
    teardown,
  });
  const { guardedApi, records, fenceRecords, leadership, historyOf } = leading;
  const backends = options.backends.map((source) => {
    const ports = { clock, logger, random, history: historyOf(source.name) };
    return teardown.use(`storage-backend ${source.name}`, source.create(ports));
  });
  const fleet = new BackendFleet(backends);
  let clusterId: string | undefined;
  const shared = { cluster: caches, fleet, clock, policy, clusterId: () => clusterId };
  const pass = new ReleasePass({
    ...shared,
    manager: new AttachmentManager({ clock, logger }),
    actions: new KubeActions({ api: guardedApi, clock, logger, random, attacher }),
    records,
    fenceRecords,
    leadership,
    observer,
    newFenceId: () => randomBytes(4).toString('hex'),
  });
  const reconciler = new AttachmentReconciler({ pass, clock, logger, intervalMs, random });
  const history = () => (reconciler.isRunning ? pass.history : undefined);
  const preview = new PlanPreview({ ...shared, history });
  caches.addNodeHandlers(new NodeWatcher(reconciler, createReconcileMetrics(), logger).getEventHandlers());
  caches.addVolumeAttachmentHandlers(new AttachmentWatcher(reconciler, caches, attacher).getEventHandlers());
  for (const backend of backends) {
    backend.onReconnect(() => reconciler.triggerReconcile('storage-reconnected'));
  }

  async function run(signal: AbortSignal, listener: TermListener = {}): Promise<void> {
    caches.start();
    for (const backend of backends) backend.start(signal);
    await caches.waitForSync(signal);
    clusterId = await readClusterId(api, signal);
    using _watch = watchBackends({ ...shared, backends });
    listener.synced?.();
    const lead = async (term: AbortSignal) => {
      try {
        await reconciler.start(term);
        listener.started?.();
        await untilAborted(term);
        await reconciler.stop();
      } finally {
        listener.ended?.();
      }
    };
    await (leading.elector ? leading.elector.run(lead, signal) : lead(signal));
  }

  return { caches, backends, leading, reconciler, preview, run };
}

function completePolicy({ api, config: { policy } }: ComposeOptions): Policy {
  const reserved = [...policy.addresses.reserved, ...reservedAddresses(api.server)];
  return { ...policy, addresses: { ...policy.addresses, reserved } };
}
