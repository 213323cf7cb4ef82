import { randomBytes } from 'node:crypto';
import { hostname } from 'node:os';
import type { SpanProcessor } from '@opentelemetry/sdk-trace';
import {
  AttachmentManager,
  AttachmentReconciler,
  type Clock,
  createReconcileMetrics,
  type Logger,
  PassReporter,
  PlanPreview,
  ReleasePass,
  systemClock,
} from '@reattach/core';
import {
  alwaysLeader,
  guardWrites,
  KubeActions,
  KubeEventRecorder,
  LeaderElector,
  LeaseRecords,
  observeLeader,
} from '@reattach/k8s-actions';
import { loadKubeApi } from '@reattach/k8s-api';
import { AttachmentWatcher, KubeCaches, NodeWatcher } from '@reattach/k8s-watch';
import { createRdsBackend, RdsFleet } from '@reattach/rds-client';
import { AuditFile } from './audit/audit-file.ts';
import { AuditLog } from './audit/audit-log.ts';
import { auditRoutes } from './audit/audit-routes.ts';
import type { Config } from './config/config.ts';
import { healthReport } from './http/health.ts';
import { Liveness, Readiness } from './http/health-checks.ts';
import { HttpServer } from './http/http-server.ts';
import { pageRoutes } from './http/page-routes.ts';
import type { Controller } from './lifecycle/controller.ts';
import { ControllerEvents } from './lifecycle/controller-events.ts';
import { observers } from './lifecycle/observers.ts';
import { findPod, ownPodRef, surroundings } from './lifecycle/own-pod.ts';
import { podNamespace } from './lifecycle/pod-namespace.ts';
import { Teardown } from './lifecycle/teardown.ts';
import { untilAborted } from './lifecycle/until-aborted.ts';
import { buildStateReport } from './state/build-state-report.ts';
import { GoneNodes } from './state/gone-nodes.ts';
import { stateRoutes } from './state/state-routes.ts';
import { inRequestSpan } from './telemetry/in-request-span.ts';
import { startTelemetry } from './telemetry/start-telemetry.ts';
import { VERSION } from './version.ts';

/** What a composition may be given from outside. */
export interface ComposeOptions {
  readonly logger: Logger;
  /** Default: the machine's. */
  readonly clock?: Clock;
  /** Also given each span. */
  readonly spanProcessors?: readonly SpanProcessor[];
}

/**
 * The way of the data: API server -> caches -> reconciler -> pass <-> backend, and from the pass back to API server and backend.
 * Caches and backend are kept warm by every replica; only the leader runs passes.
 */
export function compose(
  config: Config,
  { logger, clock = systemClock, spanProcessors = [] }: ComposeOptions,
): Controller {
  const teardown = new Teardown();
  let http: HttpServer | undefined;
  let readiness: Readiness | undefined;

  async function run(signal: AbortSignal): Promise<void> {
    await using _all = teardown;
    const { policy } = config;
    if (config.unsafeKeys.length > 0) logger.warn('Started with unsafe times', { keys: config.unsafeKeys });
    const telemetry = teardown.use(
      'telemetry',
      startTelemetry({
        serviceVersion: VERSION,
        logger,
        spanProcessors,
        ...(config.otlpEndpoint && { otlpEndpoint: config.otlpEndpoint }),
      }),
    );
    const identity = config.leaderElection?.identity ?? `${hostname()}-${randomBytes(4).toString('hex')}`;

    const api = teardown.use(
      'kubernetes-api',
      loadKubeApi({
        ...(config.kubeconfigPath !== undefined && { kubeconfigPath: config.kubeconfigPath }),
        ...(config.context !== undefined && { context: config.context }),
        logger,
        clock,
      }),
    );
    const caches = teardown.use(
      'caches',
      new KubeCaches({ api, clock, logger, watchLeases: policy.earlyDetection.enabled }),
    );
    const { activityWindowMs, idlePollMs } = config;
    const backends = config.backends.map((backend) =>
      teardown.use(
        `storage-backend ${backend.name}`,
        createRdsBackend({ ...backend, activityWindowMs, idlePollMs, clock, logger }),
      ),
    );
    const fleet = new RdsFleet(backends);

    const { leaderElection } = config;
    const namespace = leaderElection?.namespace ?? podNamespace();
    const elector =
      leaderElection &&
      new LeaderElector({
        api,
        clock,
        logger,
        identity,
        ...leaderElection,
        name: leaderElection.leaseName,
        namespace,
      });
    const leadership = elector ?? alwaysLeader;
    const guarded = guardWrites(api, leadership);
    const records =
      leaderElection &&
      new LeaseRecords({ api: guarded, namespace, name: `${leaderElection.leaseName}-records`, logger });
    const leading = () => elector?.isLeader ?? true;
    const leader = observeLeader(leading);
    teardown.defer('leader-metric', () => leader[Symbol.dispose]());
    const events =
      config.events && new KubeEventRecorder({ api, clock, logger, reportingInstance: identity });
    const pod = ownPodRef(surroundings());
    const own =
      events && pod
        ? teardown.use(
            'own-events',
            new ControllerEvents({ events, findPod: (abort) => findPod(api, pod, abort), signal }),
          )
        : undefined;
    const reporter = teardown.use('reporter', new PassReporter({ logger, clock, ...(events && { events }) }));
    const { audit } = config;
    const auditFile = audit && new AuditFile(audit.file, audit.maxBytes);
    const auditLog = teardown.use(
      'audit',
      new AuditLog({ clock, logger, ...(auditFile && { file: auditFile }) }),
    );
    await auditLog.load();
    const pass = new ReleasePass({
      cluster: caches,
      manager: new AttachmentManager({ clock, logger }),
      fleet,
      actions: new KubeActions({ api: guarded, clock, logger }),
      ...(records && { records }),
      leadership,
      observer: observers(reporter, auditLog),
      clock,
      policy,
      newFenceId: () => randomBytes(4).toString('hex'),
    });
    const reconciler = new AttachmentReconciler({
      pass,
      clock,
      logger,
      intervalMs: config.reconcileIntervalMs,
    });

    const planPreview = new PlanPreview({
      cluster: caches,
      fleet,
      policy,
      clock,
      memory: () => (reconciler.isRunning ? pass.memory : undefined),
    });
    caches.addNodeHandlers(new GoneNodes(planPreview, caches, clock));
    const state = stateRoutes({
      report: (choice) =>
        buildStateReport(planPreview.inspect(clock.now()), choice, {
          version: VERSION,
          policy,
          identity,
          leading: leading(),
          ...(reconciler.lastPass && { lastPass: reconciler.lastPass }),
          backends,
          statuses: reporter.statuses,
        }),
      reconcile: () => inRequestSpan(() => reconciler.triggerReconcile('manual')),
      leading,
    });
    caches.addNodeHandlers(new NodeWatcher(reconciler, createReconcileMetrics(), logger).getEventHandlers());
    caches.addVolumeAttachmentHandlers(
      new AttachmentWatcher(reconciler, caches, policy.attacher).getEventHandlers(),
    );
    for (const backend of backends) {
      backend.onDisconnect(({ message }) => own?.disconnected(backend.name, message));
      backend.onReconnect(() => {
        own?.reconnected(backend.name);
        reconciler.triggerReconcile('storage-reconnected');
      });
    }

    const ready = new Readiness({
      caches,
      backends,
      reconciler,
      policy,
      clock,
      ...(elector && { elector }),
    });
    const live = new Liveness({ reconciler, clock, intervalMs: config.reconcileIntervalMs });
    readiness = ready;
    http = teardown.use(
      'http',
      await HttpServer.start({
        ...config.http,
        live: () => live.report(),
        ready: () => ready.report(),
        metricsText: () => telemetry.metricsText(),
        routes: [...state, ...auditRoutes(auditLog), ...pageRoutes()],
        audience: config.audience,
        logger,
      }),
    );
    logger.info('Started', { version: VERSION, mode: policy.mode, url: http.url, identity });
    signal.addEventListener('abort', () => ready.stop(), { once: true });

    caches.start();
    for (const backend of backends) backend.start(signal);
    await caches.waitForSync(signal);
    // Nothing later is as large as the first lists, and V8 gives back what they leave only when asked (--expose-gc, as the image has).
    globalThis.gc?.({ type: 'major', flavor: 'last-resort' });
    const lead = async (term: AbortSignal) => {
      try {
        await reconciler.start(term);
        logger.info('Ran startup pass', { mode: policy.mode });
        own?.started(policy.mode, reporter.latest);
        await untilAborted(term);
        await reconciler.stop();
      } finally {
        reporter.forget();
      }
    };
    await (elector ? elector.run(lead, signal) : lead(signal));
  }

  return {
    async run(signal) {
      try {
        await run(signal);
      } catch (err) {
        if (err !== signal.reason) throw err;
      }
      logger.info('Stopped');
    },
    get address() {
      return http?.url;
    },
    ready: () => readiness?.report() ?? healthReport([{ name: 'start', ok: false, why: 'Not started' }]),
    get pending() {
      return teardown.pending;
    },
  };
}
