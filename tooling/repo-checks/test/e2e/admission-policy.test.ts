import {
  type ExtensionsApiServer,
  envtestAssets,
  hasComponent,
  startExtensionsApiServer,
} from '@reattach/envtest';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import type { Manifest } from '../../src/chart/chart-files.ts';
import { type Answer, send } from './api-request.ts';
import { startPolicyCore } from './policy-core.ts';
import { findHelm } from './real-helm.ts';

const assets = envtestAssets();
const hasServer = assets !== undefined && hasComponent(assets, 'apiextensions-apiserver');
const helm = hasServer ? await findHelm() : undefined;
const OURS = 'system:serviceaccount:reattach:reattach';
const NODES = '/apis/test.reattach.srvlab.io/v1/nodes';
const START_MS = 100_000;

interface Taint {
  readonly key: string;
  value?: string;
  readonly effect: string;
}

/** What the policy looks at in a Node. */
interface NodeLike {
  metadata: {
    name?: string;
    labels?: Record<string, string>;
    annotations?: Record<string, string>;
    finalizers?: string[];
  };
  spec: { taints?: Taint[]; providerID?: string; podCIDRs?: string[]; unschedulable?: boolean };
  status: {
    volumesInUse?: string[];
    conditions?: { type: string; status: string }[];
    addresses?: { type: string; address: string }[];
    capacity?: Record<string, string>;
    nodeInfo?: { bootID: string };
  };
}

const volume = (handle: string) => `kubernetes.io/csi/rds.csi.srvlab.io^${handle}`;
const taint = (key: string, value?: string): Taint => ({
  key,
  ...(value !== undefined && { value }),
  effect: 'NoExecute',
});
const outOfService = (value?: string) => taint('node.kubernetes.io/out-of-service', value);
const BOOT_ID = 'reattach.srvlab.io/out-of-service-boot-id';

const bare = (): NodeLike => ({ metadata: {}, spec: {}, status: {} });
const full = (): NodeLike => ({
  metadata: { labels: { zone: 'a' }, annotations: { owner: 'b' }, finalizers: ['example.org/keep'] },
  spec: { providerID: 'c', taints: [taint('node.kubernetes.io/not-ready'), taint('team', 'd')] },
  status: {
    volumesInUse: [volume('pvc-1'), 'kubernetes.io/csi/other.csi^pvc-2'],
    conditions: [{ type: 'Ready', status: 'False' }],
    addresses: [{ type: 'InternalIP', address: '10.0.0.1' }],
    capacity: { cpu: '1' },
    nodeInfo: { bootID: 'e' },
  },
});
const tainted = (): NodeLike => ({
  metadata: { annotations: { [BOOT_ID]: 'e' } },
  spec: { taints: [outOfService('reattach')] },
  status: { volumesInUse: [volume('pvc-1')] },
});

type Change = (node: NodeLike) => void;
const ALLOWED: readonly (readonly [string, () => NodeLike, Change])[] = [
  ['nothing', full, () => {}],
  ['nothing in a Node that has nothing', bare, () => {}],
  ['add the fenced taint', full, ({ spec }) => spec.taints?.push(taint('reattach.srvlab.io/fenced'))],
  ['add the first taint', bare, ({ spec }) => (spec.taints = [taint('reattach.srvlab.io/fenced')])],
  [
    'add our out-of-service taint and note the bootID',
    full,
    ({ spec, metadata }) => {
      spec.taints?.push(outOfService('reattach'));
      metadata.annotations = { ...metadata.annotations, [BOOT_ID]: 'e' };
    },
  ],
  [
    'take both away again',
    tainted,
    ({ spec, metadata }) => {
      delete spec.taints;
      delete metadata.annotations;
    },
  ],
  ['take a volume of ours out of use', full, ({ status }) => status.volumesInUse?.shift()],
  ['take the last volume out of use', tainted, ({ status }) => delete status.volumesInUse],
];
const DENIED: readonly (readonly [string, Change])[] = [
  ['an out-of-service taint of another value', ({ spec }) => spec.taints?.push(outOfService('other'))],
  ['an out-of-service taint without a value', ({ spec }) => spec.taints?.push(outOfService())],
  ['another taint', ({ spec }) => spec.taints?.push(taint('mine'))],
  ['without a taint of others', ({ spec }) => spec.taints?.pop()],
  ['a taint of others with another value', ({ spec }) => spec.taints?.splice(1, 1, taint('team', 'x'))],
  ['cordoned', ({ spec }) => (spec.unschedulable = true)],
  ['another provider', ({ spec }) => (spec.providerID = 'x')],
  ['other pod addresses', ({ spec }) => (spec.podCIDRs = ['10.1.0.0/24'])],
  ['another annotation', ({ metadata }) => (metadata.annotations = { ...metadata.annotations, x: 'y' })],
  ['without an annotation', ({ metadata }) => delete metadata.annotations],
  ['a changed annotation', ({ metadata }) => (metadata.annotations = { owner: 'x' })],
  [
    'declared clean',
    ({ metadata }) => (metadata.annotations = { ...metadata.annotations, 'reattach.srvlab.io/clean': 'f' }),
  ],
  ['another label', ({ metadata }) => (metadata.labels = { zone: 'x' })],
  ['without a finalizer', ({ metadata }) => delete metadata.finalizers],
  ['without a volume of others in use', ({ status }) => status.volumesInUse?.pop()],
  ['another volume in use', ({ status }) => status.volumesInUse?.push(volume('pvc-3'))],
  ['Ready', ({ status }) => status.conditions?.splice(0, 1, { type: 'Ready', status: 'True' })],
  ['without addresses', ({ status }) => delete status.addresses],
  ['another capacity', ({ status }) => (status.capacity = { cpu: '2' })],
  ['another bootID', ({ status }) => (status.nodeInfo = { bootID: 'x' })],
];

/**
 * The policy of the chart, as the admission code of a Kubernetes that knows it judges: that of apiextensions-apiserver, on
 * custom resources that look like Nodes.
 */
describe.skipIf(helm === undefined)('the admission policy of deploy/chart', () => {
  const cleanup = new AsyncDisposableStack();
  let server: ExtensionsApiServer;
  let created = 0;

  const request = (method: string, path: string, body: object, bearer: string): Promise<Answer> =>
    send({ ...server, token: bearer }, method, path, body);

  /** Creates a node as an administrator and changes it as `bearer`. */
  async function change(node: NodeLike, apply: Change, bearer: string): Promise<Answer> {
    const metadata = { ...node.metadata, name: `node-${created++}` };
    const made = await request('POST', NODES, { ...RESOURCE, ...node, metadata }, 'admin');
    expect(made.status).toBe(201);
    const next = made.body as unknown as NodeLike;
    apply(next);
    return request('PUT', `${NODES}/${metadata.name}`, next, bearer);
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
        const probe = { ...RESOURCE, ...bare(), metadata: { name: `probe-${created++}` } };
        const { status, body } = await request('POST', NODES, probe, 'admin');
        if (status !== 201) return false;
        const cordoned = { ...body, spec: { unschedulable: true } };
        return (await request('PUT', `${NODES}/${probe.metadata.name}`, cordoned, OURS)).status === 422;
      },
      { timeout: START_MS, interval: 200 },
    );
  }, START_MS);
  afterAll(() => cleanup.disposeAsync());

  it.each(ALLOWED)('lets us %s', async (_, node, apply) => {
    const { status, body } = await change(node(), apply, OURS);
    expect([status, body['message']]).toEqual([200, undefined]);
  });

  it.each(DENIED)('does not let us make a Node %s', async (_, apply) => {
    const { status, body } = await change(full(), apply, OURS);
    expect(status).toBe(422);
    expect(body['message']).toContain('denied request: Reattach ');
  });

  it('is none of the business of others', async () => {
    for (const [, apply] of DENIED) expect((await change(full(), apply, 'somebody')).status).toBe(200);
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
  const rule = {
    apiGroups: ['test.reattach.srvlab.io'],
    apiVersions: ['v1'],
    operations: ['UPDATE'],
    resources: ['nodes'],
  };
  const matchConstraints = {
    matchPolicy: 'Equivalent',
    namespaceSelector: {},
    objectSelector: {},
    resourceRules: [{ ...rule, scope: '*' }],
  };
  return { ...manifest, spec: { ...(manifest['spec'] as object), matchConstraints } };
}
