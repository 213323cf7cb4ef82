import type { Policy, ReservedAddress, StorageFleet } from '@reattach/core';
import type { KubeApi } from '@reattach/k8s-api';
import { addressConflictCheck } from './address-conflict-check.ts';
import { type Check, failed, messageOf, ok } from './check.ts';
import { type ClusterFacts, type Read, readClusterFacts } from './cluster-facts.ts';
import { driverCheck } from './driver-check.ts';
import { kubeFix } from './kube-fix.ts';
import { versionCheck } from './kubernetes-version-check.ts';
import { nodeAddressesCheck } from './node-addresses-check.ts';
import { nodeClocksCheck } from './node-clocks-check.ts';
import { permissionsCheck } from './permissions-check.ts';
import { volumesCheck } from './volumes-check.ts';

export interface ClusterQuestion {
  readonly api: KubeApi;
  readonly policy: Policy;
  readonly reserved: readonly ReservedAddress[];
  readonly fleet: StorageFleet;
  /** Where the leader Lease is kept; absent without leader election. */
  readonly leaseNamespace?: string;
  readonly signal: AbortSignal;
}

/** What was found in the cluster; `facts` is absent when it did not answer. */
export interface ClusterFindings {
  readonly checks: readonly Check[];
  readonly facts?: ClusterFacts;
}

/** The cluster as the controller needs it, one check for each precondition. */
export async function clusterChecks(question: ClusterQuestion): Promise<ClusterFindings> {
  const { api, policy, reserved, fleet, signal } = question;
  let facts: ClusterFacts;
  try {
    facts = await readClusterFacts(api, policy.attacher, signal);
  } catch (err) {
    signal.throwIfAborted();
    return { checks: [failed('cluster reachable', `${api.server}: ${messageOf(err)}`, kubeFix(err))] };
  }
  const { mode, attacher } = policy;
  const checks = [
    ok('cluster reachable', `${api.server}, Kubernetes ${facts.gitVersion}`),
    versionCheck(facts.gitVersion, policy),
    await permissionsCheck(question),
    whenRead('node addresses', 'Nodes', facts.nodes, (nodes) => nodeAddressesCheck(nodes, mode)),
    whenRead('address conflicts', 'Nodes', facts.nodes, (nodes) =>
      addressConflictCheck(nodes, { ...policy.addresses, reserved }, mode),
    ),
    driverCheck(attacher, facts, mode),
    whenRead('persistent volumes', 'PersistentVolumes', facts.volumes, (volumes) =>
      volumesCheck(volumes, attacher, fleet, mode),
    ),
    ...(facts.nodes.ok && facts.renewals.ok
      ? [nodeClocksCheck(facts.nodes.value, facts.renewals.value, facts.renewalsReadAtMs)]
      : []),
  ];
  return { checks, facts };
}

function whenRead<T>(name: string, what: string, read: Read<T>, check: (value: T) => Check): Check {
  if (read.ok) return check(read.value);
  return failed(name, `${what} could not be listed: ${messageOf(read.err)}`, kubeFix(read.err));
}
