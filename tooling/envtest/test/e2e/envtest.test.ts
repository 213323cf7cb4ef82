import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { request } from 'node:https';
import { dirname } from 'node:path';
import { createInterface } from 'node:readline';
import { json } from 'node:stream/consumers';
import { type Envtest, envtestAssets, startEnvtest } from '@reattach/envtest';
import { describe, expect, it, onTestFinished, vi } from 'vitest';

const assets = envtestAssets();
if (assets === undefined) console.warn('Skipped: KUBEBUILDER_ASSETS is unset');

interface Answer {
  readonly status: number | undefined;
  readonly body: unknown;
}

async function call(envtest: Envtest, method: string, path: string, body?: object): Promise<Answer> {
  const sent = request(`${envtest.server}${path}`, {
    method,
    ca: envtest.certificateAuthority,
    headers: { authorization: `Bearer ${envtest.token}`, 'content-type': 'application/json' },
  });
  sent.end(body && JSON.stringify(body));
  const [response] = await once(sent, 'response');
  return { status: response.statusCode, body: await json(response) };
}

/** Processes that run in `folder`, by name of their binary. */
function processesIn(folder: string): string[] {
  return readdirSync('/proc').flatMap((pid) => {
    try {
      return readlinkSync(`/proc/${pid}/cwd`) === folder
        ? [readFileSync(`/proc/${pid}/comm`, 'utf8').trim()]
        : [];
    } catch {
      return []; // no process, or it ended meanwhile
    }
  });
}

const options = () => ({ assets: assets ?? '', signal: AbortSignal.timeout(600_000) });

describe.skipIf(assets === undefined)('startEnvtest', () => {
  it('runs a control plane that leaves no process and no file behind', async () => {
    await using envtest = await startEnvtest({
      ...options(),
      controllerManager: ['--concurrent-gc-syncs=5'],
    });
    const folder = dirname(envtest.kubeconfigPath);

    const node = { apiVersion: 'v1', kind: 'Node', metadata: { name: 'node-a' } };
    expect(await call(envtest, 'POST', '/api/v1/nodes', node)).toMatchObject({ status: 201 });
    const volumeAttachments = '/apis/storage.k8s.io/v1/volumeattachments';
    const attachment = {
      apiVersion: 'storage.k8s.io/v1',
      kind: 'VolumeAttachment',
      metadata: { name: 'va-1' },
      spec: { attacher: 'csi.example.com', nodeName: 'node-a', source: { persistentVolumeName: 'pv-1' } },
    };
    expect(await call(envtest, 'POST', volumeAttachments, attachment)).toMatchObject({ status: 201 });
    expect(await call(envtest, 'GET', `${volumeAttachments}/va-1`)).toMatchObject({
      status: 200,
      body: { metadata: { uid: expect.any(String) }, spec: { nodeName: 'node-a' } },
    });

    // Only a kube-controller-manager creates a namespace's default ServiceAccount.
    await vi.waitUntil(
      async () =>
        (await call(envtest, 'GET', '/api/v1/namespaces/default/serviceaccounts/default')).status === 200,
      { timeout: 300_000, interval: 100 },
    );
    expect(processesIn(folder).toSorted()).toEqual(['etcd', 'kube-apiserver', 'kube-controller']);
    expect(envtest.logs('kube-controller-manager')).not.toBe('');
    const { body } = await call(envtest, 'GET', '/version');
    expect(body).toMatchObject({ gitVersion: envtest.version.gitVersion });
    console.log(`Ran on Kubernetes ${envtest.version.gitVersion}`);

    await envtest[Symbol.asyncDispose]();
    expect(processesIn(folder)).toEqual([]);
    expect(existsSync(folder)).toBe(false);
  });

  it('keeps data, port and credentials over a crash of kube-apiserver, and refuses strangers', async () => {
    await using envtest = await startEnvtest({ ...options(), apiServer: ['--watch-cache=false'] });
    const node = { apiVersion: 'v1', kind: 'Node', metadata: { name: 'node-a' } };
    await call(envtest, 'POST', '/api/v1/nodes', node);

    await envtest.restartApiServer(AbortSignal.timeout(300_000));

    expect(await call(envtest, 'GET', '/api/v1/nodes/node-a')).toMatchObject({ status: 200 });
    expect(await call({ ...envtest, token: 'wrong' }, 'GET', '/api/v1/nodes')).toMatchObject({ status: 401 });
    expect(() => envtest.logs('kube-controller-manager')).toThrow(TypeError);
  });

  it('quotes the output of a component that fails, and cleans up', async () => {
    const start = startEnvtest({ ...options(), controllerManager: ['--no-such-flag'] });
    await expect(start).rejects.toThrow(/kube-controller-manager exited:\n[^]*--no-such-flag/);
  });

  it('appends flags of kube-apiserver, quotes its output when it refuses them, and cleans up', async () => {
    const start = startEnvtest({ ...options(), apiServer: ['--no-such-flag'] });
    await expect(start).rejects.toThrow(/kube-apiserver exited:\n[^]*--no-such-flag/);
  });

  it('rejects with the reason when the start is aborted', async () => {
    const controller = new AbortController();
    const start = startEnvtest({ ...options(), signal: controller.signal });
    setTimeout(() => controller.abort(new Error('enough')), 300);
    await expect(start).rejects.toThrow('enough');
  });

  it('cleans up when the process that started it is killed', async () => {
    const script = `
      const { startEnvtest } = await import(${JSON.stringify(import.meta.resolve('@reattach/envtest'))});
      const envtest = await startEnvtest({ assets: ${JSON.stringify(assets)}, signal: new AbortController().signal });
      console.log(envtest.kubeconfigPath);`;
    const owner = spawn(process.execPath, ['--conditions=source', '--input-type=module', '-e', script]);
    onTestFinished(() => void owner.kill('SIGKILL'));
    const [kubeconfigPath] = await once(createInterface(owner.stdout), 'line');
    const folder = dirname(String(kubeconfigPath));
    expect(processesIn(folder).toSorted()).toEqual(['etcd', 'kube-apiserver']);

    owner.kill('SIGKILL');

    await vi.waitUntil(() => processesIn(folder).length === 0 && !existsSync(folder), { timeout: 120_000 });
  });
});
