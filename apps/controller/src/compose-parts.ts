import { randomBytes } from 'node:crypto';
import {
  AttachmentManager,
  AttachmentReconciler,
  BackendFleet,
  type BackendHistory,
  type Clock,
  type EventRecorder,
  type Leadership,
  type Logger,
  PassReporter,
  PlanPreview,
  ReleasePass,
  type StorageBackend,
} from '@reattach/core';
import {
  alwaysLeader,
  guardWrites,
  KubeActions,
  KubeEventRecorder,
  LeaderElector,
  LeaseBackendHistory,
  LeaseLostNodeRecords,
  observeLeader,
} from '@reattach/k8s-actions';
import { type KubeApi, loadKubeApi } from '@reattach/k8s-api';
import { KubeCaches, readClusterId } from '@reattach/k8s-watch';
import { AuditFile } from './audit/audit-file.ts';
import { AuditLog } from './audit/audit-log.ts';
import { SharedHistory } from './audit/shared-history.ts';
import type { Config } from './config/config.ts';
import { reservedAddresses } from './config/reserved-addresses.ts';
import { createBackend } from './create-backend.ts';
import { ControllerEvents } from './lifecycle/controller-events.ts';
import { observers } from './lifecycle/observers.ts';
import { findPod, ownPodRef, surroundings } from './lifecycle/own-pod.ts';
import { podNamespace } from './lifecycle/pod-namespace.ts';
import type { Teardown } from './lifecycle/teardown.ts';
import { printableEvents } from './telemetry/printable-events.ts';

/** What every part is built from. */
export interface Base {
  readonly config: Config;
  readonly logger: Logger;
  readonly clock: Clock;
  readonly teardown: Teardown;
  /** Aborted when the process stops. */
  readonly signal: AbortSignal;
  /** Name of this replica. */
  readonly identity: string;
}

/** The API server, and what is watched there. */
export interface Cluster {
  readonly api: KubeApi;
  readonly caches: KubeCaches;
  /** uid of the cluster; `undefined` before `readClusterId` has resolved. */
  readonly clusterId: () => string | undefined;
  readonly readClusterId: (signal: AbortSignal) => Promise<void>;
}

export function composeCluster({ config, logger, clock, teardown }: Base): Cluster {
  const { kubeconfigPaths, context, policy } = config;
  const api = teardown.use(
    'kubernetes-api',
    loadKubeApi({
      kubeconfigPaths,
      context,
      logger,
      clock,
    }),
  );
  const watchLeases = policy.earlyDetection.enabled;
  const caches = teardown.use('caches', new KubeCaches({ api, clock, logger, watchLeases }));
  let clusterId: string | undefined;
  return {
    api,
    caches,
    clusterId: () => clusterId,
    readClusterId: async (signal) => {
      clusterId = await readClusterId(api, signal);
    },
  };
}

/** The storage backends of the configuration. */
export interface Backends {
  readonly all: readonly StorageBackend[];
  readonly fleet: BackendFleet;
}

export function composeBackends({ config, clock, logger, teardown }: Base, { historyOf }: Leading): Backends {
  const all = config.backends.map((backend) => {
    const history = historyOf(backend.name);
    return teardown.use(
      `storage-backend ${backend.name}`,
      createBackend(backend, { clock, logger, history }),
    );
  });
  return { all, fleet: new BackendFleet(all) };
}

/** Whether this replica acts, and what follows from it. */
export interface Leading {
  /** Absent: this process is the only replica. */
  readonly elector?: LeaderElector;
  readonly leadership: Leadership;
  /** Refuses writes of a replica that does not lead. */
  readonly guardedApi: KubeApi;
  /** What a successor must know; absent without leader election. */
  readonly records?: LeaseLostNodeRecords;
  /** Keeps what a backend has learned for a successor; `undefined` without leader election. */
  readonly historyOf: (backendName: string) => BackendHistory | undefined;
  readonly isLeading: () => boolean;
}

export function composeLeading({ config, logger, clock, teardown, identity }: Base, api: KubeApi): Leading {
  const { leaderElection } = config;
  if (!leaderElection) {
    return watched(teardown, {
      leadership: alwaysLeader,
      guardedApi: api,
      historyOf: () => undefined,
      isLeading: () => true,
    });
  }
  const { leaseName, namespace = podNamespace() } = leaderElection;
  const elector = new LeaderElector({
    api,
    clock,
    logger,
    ...leaderElection,
    identity,
    name: leaseName,
    namespace,
    owner: config.policy.attacher,
  });
  const guardedApi = guardWrites(api, elector);
  const recordIn = (name: string) => ({
    api: guardedApi,
    namespace,
    name: `${leaseName}-${name}`,
    owner: config.policy.attacher,
    logger,
  });
  return watched(teardown, {
    elector,
    leadership: elector,
    guardedApi,
    records: new LeaseLostNodeRecords(recordIn('records')),
    // Names of backends may hold what the name of a Lease may not, such as the colons of IPv6.
    historyOf: (backend) =>
      new LeaseBackendHistory(recordIn(`history-${backend.toLowerCase().replaceAll(/[^a-z0-9.-]/g, '-')}`)),
    isLeading: () => elector.isLeader,
  });
}

/** Exports whether this replica leads as a metric. */
function watched(teardown: Teardown, leading: Leading): Leading {
  const metric = observeLeader(leading.isLeading);
  teardown.defer('leader-metric', () => metric[Symbol.dispose]());
  return leading;
}

/** Where the results of passes go. */
export interface Reports {
  readonly reporter: PassReporter;
  readonly auditLog: AuditLog;
  /** Events on the Pod of this process; absent outside of a pod, or when Events are off. */
  readonly ownEvents?: ControllerEvents;
}

export async function composeReports(base: Base, api: KubeApi): Promise<Reports> {
  const { config, logger, clock, teardown, signal, identity } = base;
  const events = config.events
    ? printableEvents(new KubeEventRecorder({ api, clock, logger, reportingInstance: identity }))
    : undefined;
  const ownEvents = events && composeOwnEvents(teardown, events, api, signal);
  const reporter = teardown.use('reporter', new PassReporter({ logger, clock, events }));
  const { audit } = config;
  const file = audit && new AuditFile(audit.file, audit.maxBytes);
  const { leaderElection } = config;
  const shared = leaderElection && new SharedHistory(api, leaderElection, config.policy.attacher);
  const auditLog = teardown.use('audit', new AuditLog({ clock, logger, file, shared }));
  await auditLog.load();
  return { reporter, auditLog, ownEvents };
}

function composeOwnEvents(
  teardown: Teardown,
  events: EventRecorder,
  api: KubeApi,
  signal: AbortSignal,
): ControllerEvents | undefined {
  const pod = ownPodRef(surroundings());
  if (!pod) return undefined;
  const find = (abort: AbortSignal) => findPod(api, pod, abort);
  return teardown.use('own-events', new ControllerEvents({ events, findPod: find, signal }));
}

/** What decides and acts, and what shows what it would do. */
export interface Loop {
  readonly reconciler: AttachmentReconciler;
  readonly preview: PlanPreview;
}

export function composeLoop(
  { config, logger, clock }: Base,
  { api, caches, clusterId }: Cluster,
  { fleet }: Backends,
  { guardedApi, leadership, records }: Leading,
  { reporter, auditLog }: Reports,
): Loop {
  const { reconcileIntervalMs: intervalMs } = config;
  const reserved = reservedAddresses(config.backends, api.server);
  const policy = { ...config.policy, addresses: { ...config.policy.addresses, reserved } };
  const pass = new ReleasePass({
    cluster: caches,
    manager: new AttachmentManager({ clock, logger }),
    fleet,
    actions: new KubeActions({ api: guardedApi, clock, logger, attacher: config.policy.attacher }),
    records,
    leadership,
    observer: observers(reporter, auditLog),
    clock,
    policy,
    clusterId,
    newFenceId: () => randomBytes(4).toString('hex'),
  });
  const reconciler = new AttachmentReconciler({ pass, clock, logger, intervalMs });
  const history = () => (reconciler.isRunning ? pass.history : undefined);
  const preview = new PlanPreview({ cluster: caches, fleet, policy, clock, clusterId, history });
  return { reconciler, preview };
}
