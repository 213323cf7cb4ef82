import { type Clock, EMPTY_QUERY } from '@reattach/core';
import { loadKubeApi } from '@reattach/k8s-api';
import type { Config } from '../config/config.ts';
import type { BackendConfig } from '../config/read-backends.ts';
import { createBackend, descriptorOf } from '../create-backend.ts';
import { podNamespace } from '../lifecycle/pod-namespace.ts';
import { type Check, failed } from './check.ts';
import { clusterChecks } from './cluster-checks.ts';

/** Checks everything the controller depends on. Changes nothing. */
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
      context,
      clock,
    });
    const leaseNamespace = leaderElection && (leaderElection.namespace ?? podNamespace());
    return await clusterChecks({
      api,
      policy,
      leaseNamespace,
      signal,
    });
  } catch (err) {
    signal.throwIfAborted();
    return [failed('cluster reachable', err instanceof Error ? err.message : String(err))];
  }
}

async function examineBackend(
  config: Config,
  configured: BackendConfig,
  clock: Clock,
  signal: AbortSignal,
): Promise<readonly Check[]> {
  const named = (checks: readonly Check[]) =>
    config.backends.length === 1
      ? checks
      : checks.map((check) => ({ ...check, name: `${configured.name}: ${check.name}` }));
  try {
    await using backend = createBackend(configured, { clock });
    backend.start(signal);
    await backend.observe(EMPTY_QUERY, signal); // one attempt: the doctor reports what keeps it from succeeding
    const context = { mayFence: config.policy.mode === 'fence', nowMs: clock.now() };
    return named(descriptorOf(configured).check(backend, context));
  } catch (err) {
    signal.throwIfAborted();
    return named([failed('backend reachable', err instanceof Error ? err.message : String(err))]);
  }
}
