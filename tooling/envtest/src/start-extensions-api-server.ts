import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { etcdFlags } from './component-flags.ts';
import { ComponentProcess } from './component-process.ts';
import { binaryPath } from './envtest-assets.ts';
import { freePort } from './free-port.ts';
import { startReaper } from './reaper.ts';
import { waitUntilReady } from './wait-until-ready.ts';

export interface ExtensionsApiServerOptions {
  /** Folder of the binaries, as `envtestAssets()` returns it. */
  readonly assets: string;
  /** Base URL of what plays kube-apiserver: it is asked who callers are, what they may do, and what policies there are. */
  readonly core: string;
  /** Bounds the start; aborting it later does nothing. */
  readonly signal: AbortSignal;
}

/** Serves CustomResourceDefinitions and their objects. Disposing kills every process and removes every file. */
export interface ExtensionsApiServer extends AsyncDisposable {
  /** Base URL. */
  readonly server: string;
  /** PEM; signs the certificate of `server`. */
  readonly certificateAuthority: string;
}

/** It writes its certificate here. */
const CERTIFICATE = 'extensions/apiserver.crt';
const KUBECONFIG = 'core.kubeconfig';

/**
 * Starts apiextensions-apiserver on an etcd of its own. It is a way to newer admission code than that of kube-apiserver
 * beside it: its version is its own.
 * @throws {Error} naming what is missing, or with an excerpt of the output of the component that failed.
 */
export async function startExtensionsApiServer({
  assets,
  core,
  signal,
}: ExtensionsApiServerOptions): Promise<ExtensionsApiServer> {
  const etcdPath = binaryPath(assets, 'etcd');
  const serverPath = binaryPath(assets, 'apiextensions-apiserver');
  const folder = mkdtempSync(join(tmpdir(), 'reattach-envtest-'));
  const reaper = startReaper(folder);
  const [etcdPort, etcdPeerPort, port] = [await freePort(), await freePort(), await freePort()];
  writeFileSync(join(folder, KUBECONFIG), kubeconfigOf(core));
  const unused = { apiServerPort: 0, controllerManagerPort: 0 };
  const etcd = new ComponentProcess(
    etcdPath,
    etcdFlags({ folder, etcdPort, etcdPeerPort, ...unused }),
    folder,
  );
  const flags = [
    `--etcd-servers=http://127.0.0.1:${etcdPort}`,
    '--bind-address=127.0.0.1',
    `--secure-port=${port}`,
    '--cert-dir=extensions',
    `--kubeconfig=${KUBECONFIG}`,
    `--authentication-kubeconfig=${KUBECONFIG}`,
    `--authorization-kubeconfig=${KUBECONFIG}`,
    '--authentication-skip-lookup',
    '--enable-priority-and-fairness=false',
    '--disable-admission-plugins=MutatingAdmissionPolicy',
  ];
  const extensions = new ComponentProcess(serverPath, flags, folder);
  let closed: Promise<void> | undefined;
  const close = async () => {
    await Promise.all([etcd, extensions].map((component) => component.kill()));
    await reaper[Symbol.asyncDispose]();
    await rm(folder, { recursive: true, force: true });
  };
  try {
    etcd.start();
    extensions.start();
    const server = `https://127.0.0.1:${port}`;
    const certificatePath = join(folder, CERTIFICATE);
    await waitUntilReady([etcd, extensions], { url: `${server}/readyz`, certificatePath }, signal);
    return {
      server,
      certificateAuthority: readFileSync(certificatePath, 'utf8'),
      [Symbol.asyncDispose]: () => (closed ??= close()),
    };
  } catch (cause) {
    await close();
    throw cause;
  }
}

function kubeconfigOf(server: string): string {
  return `apiVersion: v1
kind: Config
clusters: [{ name: core, cluster: { server: '${server}' } }]
users: [{ name: extensions, user: {} }]
contexts: [{ name: core, context: { cluster: core, user: extensions } }]
current-context: core
`;
}
