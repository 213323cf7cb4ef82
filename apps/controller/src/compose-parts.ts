import {
  type BackendSource,
  type ComposedController,
  composeController,
  type Teardown,
} from '@reattach/controller-kit';
import { type Clock, type EventRecorder, type Logger, PassReporter } from '@reattach/core';
import { KubeEventRecorder } from '@reattach/k8s-actions';
import { type KubeApi, loadKubeApi } from '@reattach/k8s-api';
import { AuditFile } from './audit/audit-file.ts';
import { AuditLog } from './audit/audit-log.ts';
import { SharedHistory } from './audit/shared-history.ts';
import type { Config } from './config/config.ts';
import { backendAddresses } from './config/reserved-addresses.ts';
import { createBackend } from './create-backend.ts';
import { ControllerEvents } from './lifecycle/controller-events.ts';
import { observers } from './lifecycle/observers.ts';
import { findPod, ownPodRef, surroundings } from './lifecycle/own-pod.ts';
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

export function composeApi({ config, logger, clock, teardown }: Base): KubeApi {
  const { kubeconfigPaths, context } = config;
  return teardown.use('kubernetes-api', loadKubeApi({ kubeconfigPaths, context, logger, clock }));
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

/** The backends of the configuration. */
function backendSources({ config: { backends } }: Base): readonly BackendSource[] {
  return backends.map((backend) => ({
    name: backend.name,
    create: (ports) => createBackend(backend, ports),
  }));
}

/** What decides and acts. The kit adds the API server and this machine to the addresses that are never fenced. */
export function composeLoop(base: Base, api: KubeApi, { reporter, auditLog }: Reports): ComposedController {
  const { config, logger, clock, teardown, identity } = base;
  const { policy } = config;
  const reserved = [...policy.addresses.reserved, ...backendAddresses(config.backends)];
  return composeController({
    config: { ...config, policy: { ...policy, addresses: { ...policy.addresses, reserved } } },
    backends: backendSources(base),
    api,
    identity,
    observer: observers(reporter, auditLog),
    clock,
    logger,
    teardown,
  });
}
