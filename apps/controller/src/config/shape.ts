import type { Policy } from '@reattach/core';
import type { Config } from './config.ts';
import type { BackendConfig } from './read-backends.ts';
import { unsafeKeys } from './validate.ts';
import type { Values } from './values.ts';

/** The configuration that checked values make. @throws {TypeError} when the checks missed something. */
export function shape(
  values: Values,
  backends: readonly BackendConfig[],
  kubeconfigPaths: readonly string[],
): Config {
  const auditFile = values.get('audit.file');
  return {
    kubeconfigPaths,
    context: values.get('context'),
    policy: policyOf(values),
    backends,
    http: values.must('http.listen'),
    probes: values.get('http.probeListen'),
    stateAccess: values.must('http.stateAccess'),
    page: { clusterName: values.get('page.clusterName'), runbookUrl: values.must('page.runbookUrl') },
    audit: auditFile === undefined ? undefined : { file: auditFile, maxBytes: values.must('audit.maxBytes') },
    log: { level: values.must('log.level'), format: values.must('log.format') },
    reconcileIntervalMs: values.must('reconcile.intervalMs'),
    leaderElection: values.must('leaderElection.enabled') ? leaderElectionOf(values) : undefined,
    shutdownGraceMs: values.must('shutdownGraceMs'),
    otlpEndpoint: values.get('otlp.endpoint'),
    events: values.must('events'),
    unsafeKeys: unsafeKeys(values),
  };
}

function policyOf(values: Values): Policy {
  const strategy = values.must('strategy');
  return {
    mode: values.must('mode'),
    attacher: values.must('attacher'),
    strategy,
    otherDrivers: values.get('otherDrivers') ?? (strategy === 'out-of-service' ? 'hold' : 'release-ours'),
    addresses: { allowedCidrs: values.get('storage.allowedCidrs') ?? [], reserved: [] },
    gracePeriodMs: values.must('gracePeriodMs'),
    silentGraceMs: values.must('silentGraceMs'),
    maxCacheAgeMs: values.must('maxCacheAgeMs'),
    suspectPollMs: values.must('suspectPollMs'),
    detachTimeoutMs: values.must('detachTimeoutMs'),
    breaker: {
      maxNodes: values.must('breaker.maxNodes'),
      maxFraction: values.must('breaker.maxFraction'),
      maxNodesPerWindow: values.must('breaker.maxNodesPerWindow'),
      windowMs: values.must('breaker.windowMs'),
    },
    fence: {
      pollMs: values.must('fence.pollMs'),
      neverFence: values.get('fence.neverFence') ?? {},
    },
    earlyDetection: {
      enabled: values.must('earlyDetection'),
      leaseStaleMs: values.must('leaseStaleMs'),
    },
  };
}

function leaderElectionOf(values: Values): NonNullable<Config['leaderElection']> {
  return {
    namespace: values.get('leaderElection.namespace'),
    leaseName: values.must('leaderElection.leaseName'),
    identity: values.get('leaderElection.identity'),
    leaseDurationMs: values.must('leaderElection.leaseDurationMs'),
    renewDeadlineMs: values.must('leaderElection.renewDeadlineMs'),
    retryPeriodMs: values.must('leaderElection.retryPeriodMs'),
  };
}
