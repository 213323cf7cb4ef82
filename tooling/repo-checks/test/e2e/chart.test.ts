import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { type Envtest, envtestAssets, startEnvtest } from '@reattach/envtest';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { stringify } from 'yaml';
import { CHART, type Manifest, parseManifests, renderChart } from '../../src/chart/render-chart.ts';
import { VALUE_SETS } from '../../src/chart/value-sets.ts';
import { type Answer, send } from './api-request.ts';

const run = promisify(execFile);
const SETS = Object.entries(VALUE_SETS);
const assets = envtestAssets();
const helm = process.env['HELM'];

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
/** Of these the API server of the tests (1.20) knows nothing; their shape is all that is checked, in src/chart/chart.test.ts. */
const UNKNOWN_KINDS = new Set([
  'PrometheusRule',
  'ServiceMonitor',
  'ValidatingAdmissionPolicy',
  'ValidatingAdmissionPolicyBinding',
]);

describe.skipIf(assets === undefined)('deploy/chart at a real API server', () => {
  let envtest: Envtest;
  beforeAll(async () => {
    envtest = await startEnvtest({ assets: assets ?? '', signal: AbortSignal.timeout(100_000) });
    for (const name of ['reattach', 'storage']) {
      await create(envtest, { apiVersion: 'v1', kind: 'Namespace', metadata: { name } }, '');
    }
  });
  afterAll(() => envtest[Symbol.asyncDispose]());

  describe.each(SETS)('%s', (_, options) => {
    const manifests = parseManifests(renderChart(options)).filter(({ kind }) => !UNKNOWN_KINDS.has(kind));

    it.each(manifests.map((manifest) => [manifest.kind, manifest.metadata.name, manifest] as const))(
      '%s %s is accepted with every field',
      async (kind, _name, manifest) => {
        const known = kind === 'PodDisruptionBudget' ? asOfServer(manifest) : manifest;
        const { status, body } = await create(envtest, known, '?dryRun=All');
        expect([status, body]).toEqual([201, expect.objectContaining({})]);
        expect(body).toMatchObject(known); // a misspelt field would have been dropped
      },
    );
  });

  it('would be told of a wrong manifest', async () => {
    const wrong = {
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { name: 'a', namespace: 'reattach' },
      spec: { ports: [] },
    };
    expect((await create(envtest, wrong, '?dryRun=All')).status).toBe(422);
  });
});

/** Helm itself, where `HELM` names its binary: the renderer here must print the same. */
describe.skipIf(helm === undefined)('deploy/chart with Helm', () => {
  let folder: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'reattach-helm-'));
  });
  afterAll(() => rm(folder, { recursive: true }));

  it.each(SETS)('%s renders as it does here', async (_, options) => {
    const { values = {}, name = 'reattach', namespace = 'reattach' } = options;
    const path = join(folder, 'values.yaml');
    await writeFile(path, stringify(values));
    const { stdout } = await run(helm ?? '', ['template', name, CHART, '-n', namespace, '-f', path]);
    expect(byName(parseManifests(stdout))).toEqual(byName(parseManifests(renderChart(options))));
  });

  it('passes its lint', async () => {
    const { stdout } = await run(helm ?? '', ['lint', '--strict', CHART, '--set', 'config.rds.address=box']);
    expect(stdout).toContain('0 chart(s) failed');
  });
});

function byName(manifests: readonly Manifest[]): Readonly<Record<string, Manifest>> {
  return Object.fromEntries(
    manifests.map((each) => [`${each.kind} ${each.metadata.namespace} ${each.metadata.name}`, each]),
  );
}

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
