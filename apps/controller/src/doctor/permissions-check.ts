import type { Policy } from '@reattach/core';
import type { KubeApi } from '@reattach/k8s-api';
import { type Check, failed, messageOf, ok, warning } from './check.ts';
import { TIMEOUT_MS } from './cluster-facts.ts';
import { kubeFix } from './kube-fix.ts';
import { type Permission, permissionsFor } from './permissions.ts';

/** Whether the API server grants everything that the mode needs. */
export async function permissionsCheck({
  api,
  policy,
  leaseNamespace,
  signal,
}: {
  readonly api: KubeApi;
  readonly policy: Policy;
  readonly leaseNamespace?: string;
  readonly signal: AbortSignal;
}): Promise<Check> {
  const wanted = permissionsFor(policy, leaseNamespace);
  try {
    const granted = await Promise.all(wanted.map((permission) => isGranted(api, permission, signal)));
    const missing = wanted.filter((_, index) => !granted[index]);
    if (missing.length === 0)
      return ok('permissions', `All ${wanted.length} that mode ${policy.mode} needs are granted`);
    const list = missing.map(({ verb, resource }) => `${verb} ${resource}`).join(', ');
    return failed(
      'permissions',
      `Not granted: ${list}`,
      'Apply the RBAC of packages/k8s-actions/README.md; with the chart: helm upgrade with config.mode set to the mode you want',
    );
  } catch (err) {
    signal.throwIfAborted();
    return warning('permissions', `They could not be asked for: ${messageOf(err)}`, kubeFix(err));
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
      spec: { resourceAttributes: { verb, group, resource: plural, subresource, name, namespace } },
    },
    operation: 'create selfsubjectaccessreview',
    signal,
    timeoutMs: TIMEOUT_MS,
  });
  return (answer as { status?: { allowed?: boolean } }).status?.allowed === true;
}
