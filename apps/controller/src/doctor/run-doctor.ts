import { podNamespace } from '@reattach/controller-kit';
import { BackendFleet, type Clock, type NodeFact, type StorageBackend } from '@reattach/core';
import { loadKubeApi } from '@reattach/k8s-api';
import type { Config } from '../config/config.ts';
import type { BackendConfig } from '../config/read-backends.ts';
import { reservedAddresses } from '../config/reserved-addresses.ts';
import { createBackend } from '../create-backend.ts';
import { backendChecks } from './backend-checks.ts';
import { type Check, failed, messageOf } from './check.ts';
import { type ClusterFindings, clusterChecks } from './cluster-checks.ts';
import { kubeFix } from './kube-fix.ts';

export interface DoctorOptions {
  readonly clock: Clock;
  readonly signal: AbortSignal;
  /** Adds an entry that cuts nothing at each backend, and removes it. Default: nothing is written. */
  readonly probe?: boolean;
}

/** Checks everything the controller depends on, and what mode fence needs when that is the mode. */
export async function runDoctor(
  config: Config,
  { clock, signal, probe = false }: DoctorOptions,
): Promise<readonly Check[]> {
  const opened: { readonly configured: BackendConfig; readonly backend: StorageBackend }[] = [];
  await using resources = new AsyncDisposableStack();
  const refused: Check[] = [];
  for (const configured of config.backends) {
    try {
      const backend = resources.use(createBackend(configured, { clock }));
      backend.start(signal);
      opened.push({ configured, backend });
    } catch (err) {
      refused.push(
        failed(`${configured.name}: settings`, messageOf(err), 'Correct the option that the message names'),
      );
    }
  }
  const fleet = new BackendFleet(opened.map(({ backend }) => backend));
  const { checks, facts } = await examineCluster(config, fleet, clock, signal);
  const nodes: readonly NodeFact[] = facts?.nodes.ok ? facts.nodes.value : [];
  const perBackend = await Promise.all(
    opened.map(async ({ configured, backend }) => {
      const found = await backendChecks({
        backend,
        configured,
        policy: config.policy,
        nodes,
        probe,
        clock,
        signal,
      });
      if (config.backends.length === 1) return found;
      return found.map((check) => ({ ...check, name: `${configured.name}: ${check.name}` }));
    }),
  );
  return [...checks, ...refused, ...perBackend.flat()];
}

async function examineCluster(
  config: Config,
  fleet: BackendFleet,
  clock: Clock,
  signal: AbortSignal,
): Promise<ClusterFindings> {
  const { kubeconfigPaths, context, policy, leaderElection, backends } = config;
  try {
    await using api = loadKubeApi({ kubeconfigPaths, context, clock });
    const leaseNamespace = leaderElection && (leaderElection.namespace ?? podNamespace());
    const reserved = reservedAddresses(backends, api.server);
    return await clusterChecks({ api, policy, reserved, fleet, leaseNamespace, signal });
  } catch (err) {
    signal.throwIfAborted();
    return { checks: [failed('cluster reachable', messageOf(err), kubeFix(err))] };
  }
}
