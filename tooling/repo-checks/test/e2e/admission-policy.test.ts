import {
  type ExtensionsApiServer,
  envtestAssets,
  hasComponent,
  startExtensionsApiServer,
} from '@reattach/envtest';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import type { Manifest } from '../../src/chart/chart-files.ts';
import {
  ALLOWED,
  ALLOWED_TO_NODES,
  bare,
  type Change,
  DENIED,
  DENIED_TO_NODES,
  full,
  type NodeLike,
} from './admission-cases.ts';
import { type Answer, send } from './api-request.ts';
import { startPolicyCore } from './policy-core.ts';
import { findHelm } from './real-helm.ts';

const assets = envtestAssets();
const hasServer = assets !== undefined && hasComponent(assets, 'apiextensions-apiserver');
const helm = hasServer ? await findHelm() : undefined;
const OURS = 'system:serviceaccount:reattach:reattach';
const KUBELET = 'system:node:node-1';
const NODES = '/apis/test.reattach.srvlab.io/v1/nodes';
const PROBE = { 'reattach.srvlab.io/probe': 'x' };
const START_MS = 100_000;

/**
 * Runs the policies of the chart in the admission code of apiextensions-apiserver 1.36, on custom resources that look like
 * Nodes. kube-apiserver beside it is older than ValidatingAdmissionPolicies.
 */
describe.skipIf(helm === undefined)('the admission policies of deploy/chart', () => {
  const cleanup = new AsyncDisposableStack();
  let server: ExtensionsApiServer;
  let created = 0;

  const request = (method: string, path: string, body: object, bearer: string): Promise<Answer> =>
    send({ ...server, token: bearer }, method, path, body);

  const create = (node: NodeLike, bearer: string): Promise<Answer> => {
    const metadata = { ...node.metadata, name: `node-${created++}` };
    return request('POST', NODES, { ...RESOURCE, ...node, metadata }, bearer);
  };

  /** Creates a node as an administrator and changes it as `bearer`. */
  async function change(node: NodeLike, apply: Change, bearer: string): Promise<Answer> {
    const { status, body } = await create(node, 'admin');
    expect(status).toBe(201);
    const next = body as unknown as NodeLike;
    apply(next);
    return request('PUT', `${NODES}/${next.metadata.name}`, next, bearer);
  }

  beforeAll(async () => {
    const values = { config: { rds: { address: 'backend' }, mode: 'fence' } };
    const manifests = (await helm?.render({ values })) ?? [];
    const policies = manifests.filter(({ kind }) => kind.startsWith('ValidatingAdmissionPolicy'));
    const core = cleanup.use(await startPolicyCore(policies.map(forCustomResources)));
    const signal = AbortSignal.timeout(START_MS);
    server = cleanup.use(await startExtensionsApiServer({ assets: assets ?? '', core: core.url, signal }));
    const definitions = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions';
    await request('POST', definitions, DEFINITION, 'admin');
    // Served a moment after it is defined; the policy holds a moment after that.
    await vi.waitUntil(
      async () => {
        const { status, body } = await create(bare(), 'admin');
        if (status !== 201) return false;
        const { name = '' } = (body as unknown as NodeLike).metadata;
        const claimed = { ...body, metadata: { ...(body['metadata'] as object), annotations: PROBE } };
        const cordoned = { ...body, spec: { unschedulable: true } };
        const denied = await Promise.all([
          request('PUT', `${NODES}/${name}`, claimed, KUBELET),
          request('PUT', `${NODES}/${name}`, cordoned, OURS),
        ]);
        return denied.every((each) => each.status === 422);
      },
      { timeout: START_MS, interval: 200 },
    );
  }, START_MS);
  afterAll(() => cleanup.disposeAsync());

  describe('for our ServiceAccount', () => {
    it.each(ALLOWED)('allow: %s', async (_, node, apply) => {
      const { status, body } = await change(node(), apply, OURS);
      expect([status, body['message']]).toEqual([200, undefined]);
    });

    it.each(DENIED)('deny a Node %s', async (_, apply) => {
      const { status, body } = await change(full(), apply, OURS);
      expect(status).toBe(422);
      expect(body['message']).toContain('denied request: Reattach ');
    });
  });

  describe('for a kubelet', () => {
    it.each(ALLOWED_TO_NODES)('allow: %s', async (_, node, apply) => {
      const { status, body } = await change(node(), apply, KUBELET);
      expect([status, body['message']]).toEqual([200, undefined]);
    });

    it.each(DENIED_TO_NODES)('deny: %s', async (_, node, apply) => {
      const { status, body } = await change(node(), apply, KUBELET);
      expect(status).toBe(422);
      expect(body['message']).toContain('denied request: A node may not ');
    });

    it('allow a Node to register', async () => {
      const { status, body } = await create(full(), KUBELET);
      expect([status, body['message']]).toEqual([201, undefined]);
    });

    it('deny a Node to register with an annotation of ours', async () => {
      const node = bare();
      node.metadata.annotations = { 'reattach.srvlab.io/storage-addresses': '10.0.0.2' };
      const { status, body } = await create(node, KUBELET);
      expect(status).toBe(422);
      expect(body['message']).toContain('denied request: A node may not ');
    });
  });

  it('do not apply to others', async () => {
    const changes = [...DENIED.map(([, apply]) => apply), ...DENIED_TO_NODES.map(([, , apply]) => apply)];
    for (const apply of changes) expect((await change(full(), apply, 'administrator')).status).toBe(200);
  });
});

const RESOURCE = { apiVersion: 'test.reattach.srvlab.io/v1', kind: 'Node' };
const OPEN = { type: 'object', 'x-kubernetes-preserve-unknown-fields': true };
const DEFINITION = {
  apiVersion: 'apiextensions.k8s.io/v1',
  kind: 'CustomResourceDefinition',
  metadata: { name: 'nodes.test.reattach.srvlab.io' },
  spec: {
    group: 'test.reattach.srvlab.io',
    scope: 'Cluster',
    names: { plural: 'nodes', singular: 'node', kind: 'Node', listKind: 'NodeList' },
    versions: [
      {
        name: 'v1',
        served: true,
        storage: true,
        schema: { openAPIV3Schema: { type: 'object', properties: { spec: OPEN, status: OPEN } } },
      },
    ],
  },
};

/** The same policy for the custom resource, with the defaults that an API server would have filled in. */
function forCustomResources(manifest: Manifest): Manifest {
  if (manifest.kind !== 'ValidatingAdmissionPolicy') return manifest;
  const spec = manifest['spec'] as {
    readonly matchConstraints: {
      readonly resourceRules: readonly { readonly operations: readonly string[] }[];
    };
  };
  const resourceRules = spec.matchConstraints.resourceRules.map(({ operations }) => ({
    apiGroups: ['test.reattach.srvlab.io'],
    apiVersions: ['v1'],
    operations,
    resources: ['nodes'],
    scope: '*',
  }));
  const matchConstraints = {
    matchPolicy: 'Equivalent',
    namespaceSelector: {},
    objectSelector: {},
    resourceRules,
  };
  return { ...manifest, spec: { ...spec, matchConstraints } };
}
