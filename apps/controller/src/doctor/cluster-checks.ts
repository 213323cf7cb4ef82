import type { Policy } from '@reattach/core';
import { apiPaths, type KubeApi, KubeApiError, toNodeFact } from '@reattach/k8s-api';
import { type Check, failed, ok, warning } from './check.ts';
import { nodeAddressesCheck } from './node-addresses-check.ts';
import { type Permission, permissionsFor } from './permissions.ts';

const TIMEOUT_MS = 10_000;

interface ClusterQuestion {
  readonly api: KubeApi;
  readonly policy: Policy;
  /** Where the leader Lease is kept; absent without leader election. */
  readonly leaseNamespace?: string;
  readonly signal: AbortSignal;
}

/** The cluster as the controller needs it: reachable, its permissions granted, every node's address known. */
export async function clusterChecks(question: ClusterQuestion): Promise<readonly Check[]> {
  const { api, signal } = question;
  const get = (path: string, operation: string) =>
    api.request({ method: 'GET', path, operation, signal, timeoutMs: TIMEOUT_MS });
  let version: unknown;
  try {
    version = await get('/version', 'get version');
  } catch (err) {
    signal.throwIfAborted();
    return [
      failed('cluster reachable', `${api.server}: ${messageOf(err)}`, 'Check --kubeconfig and --context'),
    ];
  }
  return [
    ok('cluster reachable', `${api.server}, Kubernetes ${gitVersion(version)}`),
    await permissions(question),
    await nodeAddresses(question, get),
    await attacher(question, get),
  ];
}

async function permissions({ api, policy, leaseNamespace, signal }: ClusterQuestion): Promise<Check> {
  const wanted = permissionsFor(policy, leaseNamespace);
  try {
    const granted = await Promise.all(wanted.map((permission) => isGranted(api, permission, signal)));
    const missing = wanted.filter((_, index) => !granted[index]);
    if (missing.length === 0)
      return ok('permissions', `All ${wanted.length} that mode ${policy.mode} needs are granted`);
    const list = missing.map(({ verb, resource }) => `${verb} ${resource}`).join(', ');
    return failed('permissions', `Not granted: ${list}`, 'Apply the RBAC of packages/k8s-actions/README.md');
  } catch (err) {
    signal.throwIfAborted();
    return warning('permissions', `They could not be asked for: ${messageOf(err)}`);
  }
}

async function isGranted(
  api: KubeApi,
  { verb, group, resource, name, namespace }: Permission,
  signal: AbortSignal,
): Promise<boolean> {
  const [plural, subresource] = resource.split('/');
  const answer = await api.request({
    method: 'POST',
    path: '/apis/authorization.k8s.io/v1/selfsubjectaccessreviews',
    body: {
      apiVersion: 'authorization.k8s.io/v1',
      kind: 'SelfSubjectAccessReview',
      spec: {
        resourceAttributes: {
          verb,
          group,
          resource: plural,
          subresource,
          name,
          namespace,
        },
      },
    },
    operation: 'create selfsubjectaccessreview',
    signal,
    timeoutMs: TIMEOUT_MS,
  });
  return (answer as { status?: { allowed?: boolean } }).status?.allowed === true;
}

async function nodeAddresses(
  { policy: { mode } }: ClusterQuestion,
  get: (path: string, operation: string) => Promise<unknown>,
): Promise<Check> {
  try {
    const { items = [] } = (await get(apiPaths.nodes, 'list nodes')) as { items?: readonly unknown[] };
    return nodeAddressesCheck(
      items.map(toNodeFact).filter((node) => node !== undefined),
      mode,
    );
  } catch (err) {
    return failed('node addresses', `Nodes could not be listed: ${messageOf(err)}`);
  }
}

/** external-attacher completes every detach. Its driver is registered as a CSIDriver. */
async function attacher(
  { policy, signal }: ClusterQuestion,
  get: (path: string, operation: string) => Promise<unknown>,
): Promise<Check> {
  const name = `driver ${policy.attacher}`;
  try {
    await get(`/apis/storage.k8s.io/v1/csidrivers/${encodeURIComponent(policy.attacher)}`, 'get csidriver');
    return ok(name, 'Its CSIDriver exists');
  } catch (err) {
    signal.throwIfAborted();
    if (err instanceof KubeApiError && err.code === 'NOT_FOUND') {
      return warning(
        name,
        'There is no CSIDriver of that name: is --attacher right, and the driver installed?',
      );
    }
    if (err instanceof KubeApiError && err.code === 'FORBIDDEN') {
      return ok(name, 'Not checked: the controller does not need permission to read CSIDrivers');
    }
    return warning(name, messageOf(err));
  }
}

function gitVersion(version: unknown): string {
  return (version as { gitVersion?: string }).gitVersion ?? 'unknown';
}

function messageOf(err: unknown): string {
  return err instanceof Error ? err.message : String(err);
}
