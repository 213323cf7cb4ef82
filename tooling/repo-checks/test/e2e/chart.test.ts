import { type Envtest, envtestAssets, startEnvtest } from '@reattach/envtest';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Manifest } from '../../src/chart/chart-files.ts';
import { VALUE_SETS } from '../../src/chart/value-sets.ts';
import { type Answer, send } from './api-request.ts';
import { findHelm } from './real-helm.ts';

const assets = envtestAssets();
const helm = assets === undefined ? undefined : await findHelm();
const SETS =
  helm === undefined
    ? []
    : await Promise.all(
        Object.entries(VALUE_SETS).map(
          async ([name, options]) => [name, await helm.render(options)] as const,
        ),
      );

/** Where objects of a kind are created. */
const PATHS: Readonly<Record<string, string>> = {
  ClusterRole: '/apis/rbac.authorization.k8s.io/v1/clusterroles',
  ClusterRoleBinding: '/apis/rbac.authorization.k8s.io/v1/clusterrolebindings',
  ConfigMap: '/api/v1/namespaces/{}/configmaps',
  Deployment: '/apis/apps/v1/namespaces/{}/deployments',
  Namespace: '/api/v1/namespaces',
  NetworkPolicy: '/apis/networking.k8s.io/v1/namespaces/{}/networkpolicies',
  PodDisruptionBudget: '/apis/policy/v1beta1/namespaces/{}/poddisruptionbudgets',
  Role: '/apis/rbac.authorization.k8s.io/v1/namespaces/{}/roles',
  RoleBinding: '/apis/rbac.authorization.k8s.io/v1/namespaces/{}/rolebindings',
  Service: '/api/v1/namespaces/{}/services',
  ServiceAccount: '/api/v1/namespaces/{}/serviceaccounts',
};
/** Of these the API server of the tests (1.20) knows nothing; their content is checked in chart-render.test.ts and admission-policy.test.ts. */
const UNKNOWN_KINDS = new Set([
  'PrometheusRule',
  'ServiceMonitor',
  'ValidatingAdmissionPolicy',
  'ValidatingAdmissionPolicyBinding',
]);

describe.skipIf(helm === undefined)('deploy/chart at a real API server', () => {
  let envtest: Envtest;
  beforeAll(async () => {
    envtest = await startEnvtest({ assets: assets ?? '', signal: AbortSignal.timeout(100_000) });
    for (const name of ['reattach', 'storage']) {
      await create(envtest, { apiVersion: 'v1', kind: 'Namespace', metadata: { name } }, '');
    }
  });
  afterAll(() => envtest[Symbol.asyncDispose]());

  describe.each(SETS)('%s', (_, all) => {
    const known = all.filter(({ kind }) => !UNKNOWN_KINDS.has(kind));

    it.each(known.map((manifest) => [manifest.kind, manifest.metadata.name, manifest] as const))(
      '%s %s is accepted with every field',
      async (kind, _name, manifest) => {
        const object = kind === 'PodDisruptionBudget' ? asOfServer(manifest) : manifest;
        const { status, body } = await create(envtest, object, '?dryRun=All');
        expect([status, body]).toEqual([201, expect.objectContaining({})]);
        expect(body).toMatchObject(object); // a misspelt field would have been dropped
      },
    );
  });

  it('refuses a wrong manifest', async () => {
    const wrong = {
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { name: 'a', namespace: 'reattach' },
      spec: { ports: [] },
    };
    expect((await create(envtest, wrong, '?dryRun=All')).status).toBe(422);
  });
});

/** policy/v1 came with 1.21, `unhealthyPodEvictionPolicy` with 1.27; the rest is the same in v1beta1. */
function asOfServer(manifest: Manifest): Manifest {
  const { unhealthyPodEvictionPolicy: _, ...spec } = manifest['spec'] as Readonly<Record<string, unknown>>;
  return { ...manifest, apiVersion: 'policy/v1beta1', spec };
}

function create(envtest: Envtest, manifest: Manifest, query: string): Promise<Answer> {
  const path = PATHS[manifest.kind]?.replace('{}', manifest.metadata.namespace ?? '');
  if (path === undefined) throw new TypeError(`Expected a kind with a path, got ${manifest.kind}`);
  return send(envtest, 'POST', `${path}${query}`, manifest);
}
