import {
  AttachmentManager,
  AttachmentReconciler,
  BackendFleet,
  type BackendPorts,
  type Clock,
  createReconcileMetrics,
  type Logger,
  type PassReport,
  PassReporter,
  type Policy,
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
  LeaseFenceRecords,
  LeaseLostNodeRecords,
} from '@reattach/k8s-actions';
import type { KubeApi } from '@reattach/k8s-api';
import { AttachmentWatcher, KubeCaches, NodeWatcher } from '@reattach/k8s-watch';

/** Where the controller keeps its Leases. */
const NAMESPACE = 'reattach';

export interface ComposeOptions {
  readonly api: KubeApi;
  /** The backend, not connected yet. */
  readonly connect: (ports: BackendPorts) => StorageBackend;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly random: () => number;
  readonly identity: string;
  readonly policy: Policy;
  /** Competes for a Lease; otherwise it always leads. */
  readonly electsLeader: boolean;
  readonly newFenceId: () => string;
  readonly onPass: (report: PassReport) => void;
}

/** One replica of the controller, composed as `apps/controller/src/compose.ts` does, without HTTP and telemetry. */
export interface ComposedController {
  /** Runs until `signal` aborts; then everything is stopped and disposed. */
  run(signal: AbortSignal): Promise<void>;
  readonly isReady: boolean;
  readonly isLeading: boolean;
}

export function composeController(options: ComposeOptions): ComposedController {
  const { api, clock, logger, random, policy, identity } = options;
  const caches = new KubeCaches({ api, clock, logger, random, watchLeases: policy.earlyDetection.enabled });
  const elector = options.electsLeader
    ? new LeaderElector({
        api,
        clock,
        logger,
        random,
        identity,
        namespace: NAMESPACE,
        name: 'reattach',
        owner: policy.attacher,
      })
    : undefined;
  const leadership = elector ?? alwaysLeader;
  const guarded = guardWrites(api, leadership);
  const recordIn = (name: string) => ({ api: guarded, namespace: NAMESPACE, name, owner: policy.attacher });
  const history = new LeaseBackendHistory(recordIn('reattach-history'));
  const backend = options.connect({ clock, logger, random, history });
  const events = new KubeEventRecorder({ api, clock, logger, random, reportingInstance: identity });
  const reporter = new PassReporter({ logger, clock, events });
  const pass = new ReleasePass({
    cluster: caches,
    manager: new AttachmentManager({ clock, logger }),
    fleet: new BackendFleet([backend]),
    actions: new KubeActions({ api: guarded, clock, logger, random, attacher: policy.attacher }),
    records: new LeaseLostNodeRecords({ ...recordIn('reattach-records'), logger }),
    fenceRecords: new LeaseFenceRecords(recordIn('reattach-fences')),
    leadership,
    observer: {
      passed(report, signal) {
        options.onPass(report);
        reporter.passed(report, signal);
      },
    },
    clock,
    policy,
    newFenceId: options.newFenceId,
  });
  const reconciler = new AttachmentReconciler({ pass, clock, logger, intervalMs: 300_000, random });
  caches.addNodeHandlers(new NodeWatcher(reconciler, createReconcileMetrics(), logger).getEventHandlers());
  caches.addVolumeAttachmentHandlers(
    new AttachmentWatcher(reconciler, caches, policy.attacher).getEventHandlers(),
  );
  backend.onReconnect(() => reconciler.triggerReconcile('storage-reconnected'));
  let isReady = false;

  const lead = async (term: AbortSignal) => {
    try {
      await reconciler.start(term);
      isReady = true;
      await untilAborted(term);
      await reconciler.stop();
    } finally {
      reporter.forget();
    }
  };

  return {
    get isReady() {
      return isReady;
    },
    get isLeading() {
      return elector?.isLeader ?? true;
    },
    async run(signal) {
      try {
        caches.start();
        backend.start(signal);
        await caches.waitForSync(signal);
        await (elector ? elector.run(lead, signal) : lead(signal));
      } catch (err) {
        if (err !== signal.reason) throw err;
      } finally {
        await reporter[Symbol.asyncDispose]();
        await backend[Symbol.asyncDispose]();
        await caches.stop();
      }
    },
  };
}

async function untilAborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return;
  const { promise, resolve } = Promise.withResolvers<void>();
  signal.addEventListener('abort', () => resolve(), { once: true });
  await promise;
}
