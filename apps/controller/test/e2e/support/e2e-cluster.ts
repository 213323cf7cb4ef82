import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Envtest, envtestAssets, startEnvtest } from '@reattach/envtest';
import { loadKubeApi, pathOf } from '@reattach/k8s-api';
import { until } from '@reattach/sim-world';
import { ClusterMirror } from './cluster-mirror.ts';
import { controllerRoles, type RoleObject } from './controller-role.ts';
import { FakeAttacher } from './fake-attacher.ts';
import { FakeScheduler } from './fake-scheduler.ts';
import { KubeClient } from './kube-client.ts';

export const DRIVER = 'rds.csi.srvlab.io';
/** `--attach-detach-reconcile-sync-period`: when A/D looks whether its VolumeAttachments still exist. Default of Kubernetes: 60 s. */
export const SYNC_PERIOD_MS = 5_000;
/** Where the controller's Lease lies. */
export const NAMESPACE = 'reattach';

const RBAC = 'rbac.authorization.k8s.io';
/** The controller's ServiceAccount. */
export const ACCOUNT = 'reattach';
const START_MS = 550_000;

/** A node counts as NotReady 5 s after its last heartbeat, real: 40 or 50 s. */
const CONTROLLER_MANAGER = [
  '--node-monitor-period=1s',
  '--node-monitor-grace-period=5s',
  `--attach-detach-reconcile-sync-period=${SYNC_PERIOD_MS / 1_000}s`,
  '--pvclaimbinder-sync-period=1s', // a claim that overtakes its volume waits for this
];

/** `undefined` where `KUBEBUILDER_ASSETS` is unset; says so once. */
export const assets: string | undefined = envtestAssets();
if (assets === undefined)
  console.warn('Skipped: KUBEBUILDER_ASSETS is unset, so there is no kube-apiserver to test against');

/**
 * A real control plane with the fakes it needs to move volumes: external-attacher and scheduler. Nodes come with a
 * stage. The controller gets a kubeconfig of a ServiceAccount that has exactly the documented roles.
 */
export class E2eCluster implements AsyncDisposable {
  readonly envtest: Envtest;
  readonly kube: KubeClient;
  readonly mirror: ClusterMirror;
  readonly attacher: FakeAttacher;
  readonly roles: readonly RoleObject[];
  readonly #cleanup: AsyncDisposableStack;
  #kubeconfigPath = '';

  private constructor(
    envtest: Envtest,
    kube: KubeClient,
    mirror: ClusterMirror,
    cleanup: AsyncDisposableStack,
  ) {
    this.envtest = envtest;
    this.kube = kube;
    this.mirror = mirror;
    this.roles = controllerRoles();
    this.attacher = cleanup.use(new FakeAttacher(kube, mirror, DRIVER));
    cleanup.use(new FakeScheduler(kube, mirror));
    this.#cleanup = cleanup;
  }

  static async start(): Promise<E2eCluster> {
    await using cleanup = new AsyncDisposableStack();
    const signal = AbortSignal.timeout(START_MS);
    const envtest = cleanup.use(
      await startEnvtest({ assets: assets ?? '', controllerManager: CONTROLLER_MANAGER, signal }),
    );
    console.log(`Running on Kubernetes ${envtest.version.gitVersion}`);
    const lifetime = new AbortController();
    const api = cleanup.use(loadKubeApi({ kubeconfigPaths: [envtest.kubeconfigPath] }));
    cleanup.defer(() => lifetime.abort());
    const mirror = await ClusterMirror.start(api, lifetime.signal);
    const cluster = new E2eCluster(envtest, new KubeClient(api, lifetime.signal), mirror, cleanup.move());
    try {
      await cluster.#prepare();
      return cluster;
    } catch (err) {
      await cluster[Symbol.asyncDispose]();
      throw err;
    }
  }

  /** Of the controller's ServiceAccount. */
  get kubeconfigPath(): string {
    return this.#kubeconfigPath;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#cleanup.disposeAsync();
  }

  async #prepare(): Promise<void> {
    const { kube } = this;
    const isThere = (path: string) => async () => (await kube.get(path)) !== undefined;
    await until('namespace default', 300_000, isThere(pathOf('api', 'v1', 'namespaces', 'default')));
    await until(
      'namespace kube-node-lease',
      300_000,
      isThere(pathOf('api', 'v1', 'namespaces', 'kube-node-lease')),
    );
    await kube.create(pathOf('apis', 'storage.k8s.io', 'v1', 'csidrivers'), {
      apiVersion: 'storage.k8s.io/v1',
      kind: 'CSIDriver',
      metadata: { name: DRIVER },
      spec: { attachRequired: true },
    });
    await kube.create('/api/v1/namespaces', {
      apiVersion: 'v1',
      kind: 'Namespace',
      metadata: { name: NAMESPACE },
    });
    const accounts = pathOf('api', 'v1', 'namespaces', NAMESPACE, 'serviceaccounts');
    await kube.create(accounts, { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name: ACCOUNT } });
    for (const role of this.roles) await this.#grant(role);
    const answer = await kube.create<{ status: { token: string } }>(`${accounts}/${ACCOUNT}/token`, {
      apiVersion: 'authentication.k8s.io/v1',
      kind: 'TokenRequest',
      spec: { expirationSeconds: 3_600 },
    });
    await this.#writeKubeconfig(answer?.status.token ?? '');
  }

  async #grant(role: RoleObject): Promise<void> {
    const { namespace, name } = role.metadata;
    await this.kube.create(rolesPath(role), role);
    await this.kube.create(rolesPath(role).replace(/s$/, 'bindings'), {
      apiVersion: `${RBAC}/v1`,
      kind: `${role.kind}Binding`,
      metadata: { name, namespace },
      roleRef: { apiGroup: RBAC, kind: role.kind, name },
      subjects: [{ kind: 'ServiceAccount', name: ACCOUNT, namespace: NAMESPACE }],
    });
  }

  async #writeKubeconfig(token: string): Promise<void> {
    const folder = await mkdtemp(join(tmpdir(), 'reattach-e2e-'));
    this.#cleanup.defer(() => rm(folder, { recursive: true, force: true }));
    this.#kubeconfigPath = join(folder, 'kubeconfig');
    const kubeconfig = this.envtest.kubeconfig.replace(this.envtest.token, token);
    await writeFile(this.#kubeconfigPath, kubeconfig, { mode: 0o600 });
  }
}

export function rolePath(role: RoleObject): string {
  return `${rolesPath(role)}${pathOf(role.metadata.name)}`;
}

function rolesPath({ kind, metadata: { namespace } }: RoleObject): string {
  return kind === 'ClusterRole'
    ? pathOf('apis', RBAC, 'v1', 'clusterroles')
    : pathOf('apis', RBAC, 'v1', 'namespaces', namespace ?? '', 'roles');
}
