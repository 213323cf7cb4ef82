import { type Clock, EMPTY_QUERY } from '@reattach/core';
import { loadKubeApi } from '@reattach/k8s-api';
import { createRdsBackend, type RdsBackend } from '@reattach/rds-client';
import type { BackendConfig, Config } from '../config/config.ts';
import { podNamespace } from '../lifecycle/pod-namespace.ts';
import { type BackendFindings, backendChecks } from './backend-checks.ts';
import { type Check, failed } from './check.ts';
import { clusterChecks } from './cluster-checks.ts';

/** Looks at everything the controller depends on, and changes nothing. */
export async function runDoctor(
  config: Config,
  clock: Clock,
  signal: AbortSignal,
): Promise<readonly Check[]> {
  const parts = [
    examineCluster(config, clock, signal),
    ...config.backends.map((backend) => examineBackend(config, backend, clock, signal)),
  ];
  return (await Promise.all(parts)).flat();
}

async function examineCluster(config: Config, clock: Clock, signal: AbortSignal): Promise<readonly Check[]> {
  const { kubeconfigPaths, context, policy, leaderElection } = config;
  try {
    await using api = loadKubeApi({
      kubeconfigPaths,
      ...(context !== undefined && { context }),
      clock,
    });
    const leaseNamespace = leaderElection && (leaderElection.namespace ?? podNamespace());
    return await clusterChecks({
      api,
      policy,
      ...(leaseNamespace !== undefined && { leaseNamespace }),
      signal,
    });
  } catch (err) {
    signal.throwIfAborted();
    return [failed('cluster reachable', err instanceof Error ? err.message : String(err))];
  }
}

async function examineBackend(
  { backends, policy, activityWindowMs }: Config,
  config: BackendConfig,
  clock: Clock,
  signal: AbortSignal,
): Promise<readonly Check[]> {
  const named = (checks: readonly Check[]) =>
    backends.length === 1
      ? checks
      : checks.map((check) => ({ ...check, name: `${config.name}: ${check.name}` }));
  try {
    await using backend = createRdsBackend({ ...config, activityWindowMs, clock });
    return named(backendChecks(await read(backend, signal), policy.mode, clock.now()));
  } catch (err) {
    signal.throwIfAborted();
    return named([failed('backend reachable', err instanceof Error ? err.message : String(err))]);
  }
}

/** One attempt: the doctor reports what keeps it from succeeding. */
async function read(backend: RdsBackend, signal: AbortSignal): Promise<BackendFindings> {
  backend.start(signal);
  await backend.observe(EMPTY_QUERY, signal);
  const { lastReading: reading, lastSnapshot: snapshot } = backend;
  return { detail: backend.health().detail, ...(reading && { reading }), ...(snapshot && { snapshot }) };
}
