import { randomBytes } from 'node:crypto';
import { hostname } from 'node:os';
import type { SpanProcessor } from '@opentelemetry/sdk-trace';
import { type ComposedController, Teardown } from '@reattach/controller-kit';
import { type Clock, type Logger, systemClock } from '@reattach/core';
import { auditRoutes } from './audit/audit-routes.ts';
import { type Base, composeApi, composeLoop, composeReports, type Reports } from './compose-parts.ts';
import type { Config } from './config/config.ts';
import { healthReport } from './http/health.ts';
import { Liveness, Readiness } from './http/health-checks.ts';
import { HttpServer } from './http/http-server.ts';
import { pageRoutes } from './http/page-routes.ts';
import type { Controller } from './lifecycle/controller.ts';
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
    const api = composeApi(base);
    const reports = await composeReports(base, api);
    const loop = composeLoop(base, api, reports);
    const parts: Parts = { ...base, telemetry, reports, loop };

    reportChanges(parts);
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
  readonly reports: Reports;
  readonly loop: ComposedController;
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

/** Remembers Nodes that are deleted, and reports outages of backends as Events. */
function reportChanges({ clock, reports: { ownEvents }, loop: { caches, preview, backends } }: Parts): void {
  caches.addNodeHandlers(new GoneNodes(preview, caches, clock));
  for (const backend of backends) {
    backend.onDisconnect(({ message }) => ownEvents?.disconnected(backend.name, message));
    backend.onReconnect(() => ownEvents?.reconnected(backend.name));
  }
}

async function serve(parts: Parts): Promise<Served> {
  const { config, logger, clock, teardown, signal, telemetry, loop } = parts;
  const { caches, backends, reconciler } = loop;
  const { elector } = loop.leading;
  const readiness = new Readiness({
    caches,
    backends,
    reconciler,
    policy: config.policy,
    clock,
    elector,
  });
  signal.addEventListener('abort', () => readiness.stop(), { once: true });
  const liveness = new Liveness({ reconciler, clock, intervalMs: config.reconcileIntervalMs });
  const checks = { live: () => liveness.report(), ready: () => readiness.report(), logger };
  if (config.probes) teardown.use('probes', await HttpServer.start({ ...config.probes, ...checks }));
  const http = await HttpServer.start({
    ...config.http,
    ...checks,
    metricsText: () => telemetry.metricsText(),
    routes: routes(parts),
    stateAccess: config.stateAccess,
  });
  return { http: teardown.use('http', http), readiness };
}

function routes({ config, clock, identity, reports, loop }: Parts) {
  const { reconciler, preview, leading, backends, caches } = loop;
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
        backends,
        podsOnNode: (name) => caches.podsOnNode(name),
        statuses: reporter.statuses,
      }),
    reconcile: () => inRequestSpan(() => reconciler.triggerReconcile('manual')),
    leading: leads,
    leader,
    clock,
  });
  return [...state, ...auditRoutes(auditLog, leader), ...pageRoutes()];
}

/** Runs passes whenever this replica leads, until the process stops. */
async function work({ config, logger, signal, reports, loop }: Parts): Promise<void> {
  const { mode } = config.policy;
  await loop.run(signal, {
    synced() {
      // Nothing later is as large as the first lists. V8 returns that memory only when asked (--expose-gc, as in the image).
      globalThis.gc?.({ type: 'major', flavor: 'last-resort' });
    },
    started() {
      logger.info('Ran startup pass', { mode });
      reports.ownEvents?.started(mode, reports.reporter.latest);
    },
    ended: () => reports.reporter.forget(),
  });
}
