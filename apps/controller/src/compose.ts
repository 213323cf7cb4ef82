import { randomBytes } from 'node:crypto';
import { hostname } from 'node:os';
import type { SpanProcessor } from '@opentelemetry/sdk-trace';
import { type Clock, createReconcileMetrics, type Logger, systemClock } from '@reattach/core';
import { AttachmentWatcher, NodeWatcher } from '@reattach/k8s-watch';
import { auditRoutes } from './audit/audit-routes.ts';
import {
  type Backends,
  type Base,
  type Cluster,
  composeBackends,
  composeCluster,
  composeLeading,
  composeLoop,
  composeReports,
  type Leading,
  type Loop,
  type Reports,
} from './compose-parts.ts';
import type { Config } from './config/config.ts';
import { healthReport } from './http/health.ts';
import { Liveness, Readiness } from './http/health-checks.ts';
import { HttpServer } from './http/http-server.ts';
import { pageRoutes } from './http/page-routes.ts';
import type { Controller } from './lifecycle/controller.ts';
import { Teardown } from './lifecycle/teardown.ts';
import { untilAborted } from './lifecycle/until-aborted.ts';
import { watchBackends } from './lifecycle/watch-backends.ts';
import { buildStateReport } from './state/build-state-report.ts';
import { GoneNodes } from './state/gone-nodes.ts';
import { stateRoutes } from './state/state-routes.ts';
import { inRequestSpan } from './telemetry/in-request-span.ts';
import { startTelemetry, type Telemetry } from './telemetry/start-telemetry.ts';
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
 * Facts flow from the API server through the caches to the reconciler and the pass; the pass reads the backends, decides, and
 * writes to the backends and the API server. Every replica keeps caches and backends warm; only the leader runs passes.
 */
export function compose(
  config: Config,
  { logger, clock = systemClock, spanProcessors = [] }: ComposeOptions,
): Controller {
  const teardown = new Teardown();
  let served: Served | undefined;

  async function run(signal: AbortSignal): Promise<void> {
    await using _all = teardown;
    const identity = config.leaderElection?.identity ?? `${hostname()}-${randomBytes(4).toString('hex')}`;
    const base: Base = { config, logger, clock, teardown, signal, identity };
    if (config.unsafeKeys.length > 0) logger.warn('Started with unsafe times', { keys: config.unsafeKeys });

    const telemetry = composeTelemetry(base, spanProcessors);
    const cluster = composeCluster(base);
    const leading = composeLeading(base, cluster.api);
    const backends = composeBackends(base, leading);
    const reports = await composeReports(base, cluster.api);
    const loop = composeLoop(base, cluster, backends, leading, reports);
    const parts: Parts = { ...base, telemetry, cluster, backends, leading, reports, loop };

    watchForTriggers(parts);
    served = await serve(parts);
    const { url } = served.http;
    logger.info('Started', { version: VERSION, mode: config.policy.mode, url, identity });
    await work(parts);
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
      return served?.http.url;
    },
    ready: () =>
      served?.readiness.report() ?? healthReport([{ name: 'start', ok: false, why: 'Not started' }]),
    get pending() {
      return teardown.pending;
    },
  };
}

/** All parts of a controller. */
interface Parts extends Base {
  readonly telemetry: Telemetry;
  readonly cluster: Cluster;
  readonly backends: Backends;
  readonly leading: Leading;
  readonly reports: Reports;
  readonly loop: Loop;
}

/** What is reachable over HTTP. */
interface Served {
  readonly http: HttpServer;
  readonly readiness: Readiness;
}

function composeTelemetry(
  { config: { otlpEndpoint }, logger, teardown }: Base,
  spanProcessors: readonly SpanProcessor[],
): Telemetry {
  const options = { serviceVersion: VERSION, logger, spanProcessors, otlpEndpoint };
  return teardown.use('telemetry', startTelemetry(options));
}

/** Changes in the cluster and at the backends request passes. */
function watchForTriggers({ config, logger, clock, cluster, backends, reports, loop }: Parts): void {
  const { caches } = cluster;
  const { reconciler, preview } = loop;
  const { attacher } = config.policy;
  caches.addNodeHandlers(new GoneNodes(preview, caches, clock));
  caches.addNodeHandlers(new NodeWatcher(reconciler, createReconcileMetrics(), logger).getEventHandlers());
  caches.addVolumeAttachmentHandlers(new AttachmentWatcher(reconciler, caches, attacher).getEventHandlers());
  for (const backend of backends.all) {
    backend.onDisconnect(({ message }) => reports.ownEvents?.disconnected(backend.name, message));
    backend.onReconnect(() => {
      reports.ownEvents?.reconnected(backend.name);
      reconciler.triggerReconcile('storage-reconnected');
    });
  }
}

async function serve(parts: Parts): Promise<Served> {
  const { config, logger, clock, teardown, signal, telemetry, cluster, backends, leading, loop } = parts;
  const { reconciler } = loop;
  const { elector } = leading;
  const readiness = new Readiness({
    caches: cluster.caches,
    backends: backends.all,
    reconciler,
    policy: config.policy,
    clock,
    elector,
  });
  signal.addEventListener('abort', () => readiness.stop(), { once: true });
  const liveness = new Liveness({ reconciler, clock, intervalMs: config.reconcileIntervalMs });
  const http = await HttpServer.start({
    ...config.http,
    live: () => liveness.report(),
    ready: () => readiness.report(),
    metricsText: () => telemetry.metricsText(),
    routes: routes(parts),
    stateAccess: config.stateAccess,
    logger,
  });
  return { http: teardown.use('http', http), readiness };
}

function routes({ config, clock, identity, cluster, backends, leading, reports, loop }: Parts) {
  const { reconciler, preview } = loop;
  const { isLeading: leads } = leading;
  const leader = () => leading.elector?.holder;
  const { reporter, auditLog } = reports;
  const state = stateRoutes({
    report: (choice, mode = config.policy.mode) =>
      buildStateReport(preview.inspect(clock.now(), { mode }), choice, {
        version: VERSION,
        policy: { ...config.policy, mode },
        identity,
        clusterName: config.page.clusterName,
        runbookUrl: config.page.runbookUrl,
        leading: leads(),
        leader: leader(),
        lastPass: reconciler.lastPass,
        backends: backends.all,
        podsOnNode: (name) => cluster.caches.podsOnNode(name),
        statuses: reporter.statuses,
      }),
    reconcile: () => inRequestSpan(() => reconciler.triggerReconcile('manual')),
    leading: leads,
    leader,
  });
  return [...state, ...auditRoutes(auditLog, leader), ...pageRoutes()];
}

/** Fills the caches, then runs passes whenever this replica leads, until the process stops. */
async function work(parts: Parts) {
  const { config, logger, clock, signal, cluster, backends, leading, reports, loop } = parts;
  const { mode } = config.policy;
  cluster.caches.start();
  for (const backend of backends.all) backend.start(signal);
  await cluster.caches.waitForSync(signal);
  await cluster.readClusterId(signal);
  using _watch = watchBackends({
    cluster: cluster.caches,
    backends: backends.all,
    policy: config.policy,
    clusterId: cluster.clusterId,
    clock,
  });
  // Nothing later is as large as the first lists. V8 returns that memory only when asked (--expose-gc, as in the image).
  globalThis.gc?.({ type: 'major', flavor: 'last-resort' });
  const lead = async (term: AbortSignal) => {
    try {
      await loop.reconciler.start(term);
      logger.info('Ran startup pass', { mode });
      reports.ownEvents?.started(mode, reports.reporter.latest);
      await untilAborted(term);
      await loop.reconciler.stop();
    } finally {
      reports.reporter.forget();
    }
  };
  await (leading.elector ? leading.elector.run(lead, signal) : lead(signal));
}
