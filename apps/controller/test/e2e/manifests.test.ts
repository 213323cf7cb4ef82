import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathOf } from '@reattach/k8s-api';
import { until } from '@reattach/sim-world';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parse, parseAllDocuments, stringify } from 'yaml';
import { assets, E2eCluster } from './support/e2e-cluster.ts';
import { COMPRESSED_FLAGS, Stage } from './support/stage.ts';
import { startController } from './support/start-controller.ts';

const FENCE = new URL('../../../../deploy/manifests/fence.yaml', import.meta.url);
const NAMESPACE = 'installed';
const RBAC = 'rbac.authorization.k8s.io';

interface Manifest {
  readonly kind: string;
  readonly metadata: { readonly name: string; readonly namespace?: string };
  readonly data?: Readonly<Record<string, string>>;
  readonly spec?: unknown;
}

interface Container {
  readonly args: readonly string[];
  readonly env: readonly { readonly name: string; readonly value?: string }[];
}

/** What a pod of the Deployment needs at the API server before it starts. */
const PATHS: Readonly<Record<string, (namespace: string) => string>> = {
  ClusterRole: () => pathOf('apis', RBAC, 'v1', 'clusterroles'),
  ClusterRoleBinding: () => pathOf('apis', RBAC, 'v1', 'clusterrolebindings'),
  Role: (namespace) => pathOf('apis', RBAC, 'v1', 'namespaces', namespace, 'roles'),
  RoleBinding: (namespace) => pathOf('apis', RBAC, 'v1', 'namespaces', namespace, 'rolebindings'),
  ServiceAccount: (namespace) => pathOf('api', 'v1', 'namespaces', namespace, 'serviceaccounts'),
};

/** Played by this test: the kubelet, which mounts ConfigMap, Secret and token and starts the container. */
describe.skipIf(assets === undefined)('deploy/manifests/fence.yaml, applied', () => {
  let cluster: E2eCluster;
  let folder: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'reattach-manifests-'));
    cluster = await E2eCluster.start();
  });
  afterAll(async () => {
    await cluster[Symbol.asyncDispose]();
    await rm(folder, { recursive: true, force: true });
  });

  it('runs under its own permissions and moves the volume of a dead node', async () => {
    await using stage = await Stage.start(cluster, { name: 'applied' });
    const manifests = await manifestsFor(stage);
    await install(cluster, manifests);
    await using controller = startController([
      ...(await asKubelet(cluster, stage, manifests, folder)),
      ...COMPRESSED_FLAGS,
    ]);
    await controller.ready();
    await until('it to lead', 300_000, () => controller.leads);

    const dead = stage.node('a');
    await stage.powerOff(dead);
    await stage.untilSettled(dead);
    expect(controller.logged('Fenced node')).toMatchObject([{ node: dead.name }]);
    expect(controller.logged('Released stale attachment')).toMatchObject([{ node: dead.name }]);
    expect(controller.log.filter((line) => JSON.stringify(line).includes('FORBIDDEN'))).toEqual([]);
    expect(stage.rds.oracle.doubleWrites).toBe(0);
  });
});

/** Under another name, because the cluster already has roles named `reattach`; and for the backend of the stage. */
async function manifestsFor({ rds }: Stage): Promise<readonly Manifest[]> {
  const text = await readFile(FENCE, 'utf8');
  const renamed = text.replaceAll(/^( *(?:- )?name(?:space)?): reattach$/gm, `$1: ${NAMESPACE}`);
  const backend = {
    address: `${rds.host}:${rds.port}`,
    user: rds.credentials.username,
    storageAddresses: rds.device.address,
  };
  return parseAllDocuments(renamed).map((document) => {
    const manifest = document.toJS() as Manifest;
    const file = manifest.data?.['config.yaml'];
    if (file === undefined) return manifest;
    const config = { ...(parse(file) as object), rds: backend };
    return { ...manifest, data: { 'config.yaml': stringify(config) } };
  });
}

async function install({ kube }: E2eCluster, manifests: readonly Manifest[]): Promise<void> {
  await kube.create('/api/v1/namespaces', {
    apiVersion: 'v1',
    kind: 'Namespace',
    metadata: { name: NAMESPACE },
  });
  for (const manifest of manifests) {
    const path = PATHS[manifest.kind];
    if (path) await kube.create(path(manifest.metadata.namespace ?? ''), manifest);
  }
}

/** Files where the pod would have them, below `folder`. @returns the container's arguments and its environment as flags. */
async function asKubelet(
  { kube, envtest }: E2eCluster,
  { rds }: Stage,
  manifests: readonly Manifest[],
  folder: string,
): Promise<readonly string[]> {
  const find = (kind: string): Manifest => {
    const found = manifests.find((manifest) => manifest.kind === kind);
    if (!found) throw new TypeError(`Expected a ${kind} in the manifests`);
    return found;
  };
  const account = find('ServiceAccount').metadata.name;
  const accounts = pathOf('api', 'v1', 'namespaces', NAMESPACE, 'serviceaccounts', account, 'token');
  const answer = await kube.create<{ status: { token: string } }>(accounts, {
    apiVersion: 'authentication.k8s.io/v1',
    kind: 'TokenRequest',
    spec: { expirationSeconds: 3_600 },
  });
  const kubeconfig = envtest.kubeconfig.replace(envtest.token, answer?.status.token ?? '');
  await writeFile(join(folder, 'kubeconfig'), kubeconfig, { mode: 0o600 });
  await writeFile(join(folder, 'config.yaml'), find('ConfigMap').data?.['config.yaml'] ?? '');
  await writeFile(join(folder, 'id_ed25519'), rds.credentials.privateKey, { mode: 0o600 });
  await writeFile(join(folder, 'host-key'), rds.hostKey);
  const { template } = find('Deployment').spec as { template: { spec: { containers: [Container] } } };
  const [{ args, env }] = template.spec.containers;
  const flags = env
    .filter(({ name }) => name.startsWith('REATTACH_'))
    .map(({ name, value = '' }) => {
      const flag = name.slice('REATTACH_'.length).toLowerCase().replaceAll('_', '-');
      return `--${flag}=${value.replace(/^\/etc\/reattach(?:-backend)?\//, `${folder}/`)}`;
    });
  return [
    ...args,
    ...flags,
    `--kubeconfig=${join(folder, 'kubeconfig')}`,
    `--leader-election-namespace=${NAMESPACE}`, // a pod knows its own
    '--http-listen=127.0.0.1:0',
  ];
}
