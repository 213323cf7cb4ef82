import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { compactEtcd } from './compact-etcd.ts';
import {
  apiServerFlags,
  controllerManagerFlags,
  type EnvtestLayout,
  etcdFlags,
  FILES,
} from './component-flags.ts';
import { ComponentProcess } from './component-process.ts';
import { binaryPath, type EnvtestComponent } from './envtest-assets.ts';
import { freePort } from './free-port.ts';
import { type KubernetesVersion, versionOf } from './kubernetes-version.ts';
import { startReaper } from './reaper.ts';
import { waitUntilReady } from './wait-until-ready.ts';

export interface EnvtestOptions {
  /** Folder of the binaries, as `envtestAssets()` returns it. */
  readonly assets: string;
  /** Flags for kube-apiserver, appended after our own, so that they win: `--emulated-version=1.33`. Default: none. */
  readonly apiServer?: readonly string[];
  /** Flags for kube-controller-manager, appended after our own; absent = it is not started. */
  readonly controllerManager?: readonly string[] | undefined;
  /** Bounds the start; aborting it later does nothing. */
  readonly signal: AbortSignal;
}

/** A running control plane on loopback, with RBAC. Disposing kills every process and removes every file. */
export interface Envtest extends AsyncDisposable {
  /** Base URL of kube-apiserver. */
  readonly server: string;
  /** Version of the kube-apiserver binary. */
  readonly version: KubernetesVersion;
  /** PEM; signs the certificate of `server`. */
  readonly certificateAuthority: string;
  /** Bearer token of a member of `system:masters`. */
  readonly token: string;
  /** YAML with that token. */
  readonly kubeconfig: string;
  /** File that holds `kubeconfig`. */
  readonly kubeconfigPath: string;
  /** Everything a component has written so far; readable until disposal. */
  logs(component: EnvtestComponent): string;
  /** Makes every revision but the current one unavailable, as etcd's own compaction does every five minutes. */
  compactEtcd(signal: AbortSignal): Promise<void>;
  /** Kills kube-apiserver as a crash would and resolves once it is ready again, with the same port, keys and data. */
  restartApiServer(signal: AbortSignal): Promise<void>;
}

/**
 * Starts etcd, kube-apiserver and, when asked, kube-controller-manager on free loopback ports.
 * @throws {Error} naming what is missing, or with an excerpt of the output of the component that failed.
 * Rejects with `signal.reason` when aborted. Nothing is left behind in either case.
 */
export async function startEnvtest(options: EnvtestOptions): Promise<Envtest> {
  const { assets, apiServer: apiServerExtra = [], controllerManager: extraFlags, signal } = options;
  signal.throwIfAborted();
  const etcdPath = binaryPath(assets, 'etcd');
  const apiServerPath = binaryPath(assets, 'kube-apiserver');
  const controllerManagerPath = extraFlags && binaryPath(assets, 'kube-controller-manager');

  const folder = mkdtempSync(join(tmpdir(), 'reattach-envtest-'));
  const reaper = startReaper(folder);
  const layout: EnvtestLayout = {
    folder,
    etcdPort: await freePort(),
    etcdPeerPort: await freePort(),
    apiServerPort: await freePort(),
    controllerManagerPort: await freePort(),
  };
  const server = `https://127.0.0.1:${layout.apiServerPort}`;
  const token = randomBytes(20).toString('hex');
  const etcd = new ComponentProcess(etcdPath, etcdFlags(layout), folder);
  const apiServer = new ComponentProcess(apiServerPath, apiServerFlags(layout, apiServerExtra), folder);
  const started = [etcd, apiServer];
  const certificatePath = join(folder, FILES.apiServerCertificate);
  const apiServerReady = (until: AbortSignal) =>
    waitUntilReady([etcd, apiServer], { url: `${server}/readyz`, certificatePath, token }, until);

  let closed: Promise<void> | undefined;
  const close = async () => {
    await Promise.all(started.map((component) => component.kill()));
    await reaper[Symbol.asyncDispose]();
    await rm(folder, { recursive: true, force: true });
  };

  try {
    const controllerManagerToken = randomBytes(20).toString('hex');
    writeSecret(FILES.tokens, [
      `${token},envtest-admin,envtest-admin,system:masters`,
      `${controllerManagerToken},system:kube-controller-manager,system:kube-controller-manager`,
    ]);
    const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    writeSecret(FILES.serviceAccountKey, [privateKey.export({ type: 'sec1', format: 'pem' }).toString()]);
    etcd.start();
    apiServer.start();
    await apiServerReady(signal);
    const certificateAuthority = readFileSync(certificatePath, 'utf8');
    const kubeconfig = kubeconfigYaml(server, certificateAuthority, token);
    const kubeconfigPath = writeSecret('kubeconfig', [kubeconfig]);

    if (controllerManagerPath !== undefined) {
      writeSecret(FILES.controllerManagerKubeconfig, [
        kubeconfigYaml(server, certificateAuthority, controllerManagerToken),
      ]);
      const flags = controllerManagerFlags(
        layout,
        (await versionOf(controllerManagerPath)).minor,
        extraFlags ?? [],
      );
      const controllerManager = new ComponentProcess(controllerManagerPath, flags, folder);
      started.push(controllerManager);
      controllerManager.start();
      await waitUntilReady(
        started,
        {
          url: `https://127.0.0.1:${layout.controllerManagerPort}/healthz`,
          certificatePath: join(folder, FILES.controllerManagerCertificate),
        },
        signal,
      );
    }

    return {
      server,
      version: await versionOf(apiServerPath),
      certificateAuthority,
      token,
      kubeconfig,
      kubeconfigPath,
      logs(component) {
        const found = started.find((candidate) => candidate.name === component);
        if (!found) throw new TypeError(`Expected a component that was started, got ${component}`);
        return found.logs();
      },
      compactEtcd: (until) => compactEtcd(layout.etcdPort, until),
      async restartApiServer(until) {
        await apiServer.kill();
        apiServer.start();
        await apiServerReady(until);
      },
      [Symbol.asyncDispose]: () => (closed ??= close()),
    };
  } catch (cause) {
    await close();
    throw cause;
  }

  function writeSecret(name: string, lines: readonly string[]): string {
    const path = join(folder, name);
    writeFileSync(path, `${lines.join('\n')}\n`, { mode: 0o600 });
    return path;
  }
}

function kubeconfigYaml(server: string, certificateAuthority: string, token: string): string {
  const authority = Buffer.from(certificateAuthority).toString('base64');
  return `apiVersion: v1
kind: Config
clusters:
  - name: envtest
    cluster:
      server: ${server}
      certificate-authority-data: ${authority}
users:
  - name: envtest
    user:
      token: ${token}
contexts:
  - name: envtest
    context:
      cluster: envtest
      user: envtest
current-context: envtest
`;
}
