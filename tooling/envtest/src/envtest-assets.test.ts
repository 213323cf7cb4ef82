import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { envtestAssets } from './envtest-assets.ts';
import { startEnvtest } from './start-envtest.ts';

describe('envtestAssets', () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'envtest-assets-'));
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  const install = (name: string, mode = 0o755) => {
    writeFileSync(join(folder, name), '');
    chmodSync(join(folder, name), mode);
  };

  it('is undefined while the variable is unset or empty', () => {
    expect(envtestAssets({})).toBeUndefined();
    expect(envtestAssets({ KUBEBUILDER_ASSETS: '' })).toBeUndefined();
  });

  it('returns the folder that has etcd and kube-apiserver', () => {
    install('etcd');
    install('kube-apiserver');
    expect(envtestAssets({ KUBEBUILDER_ASSETS: folder })).toBe(folder);
  });

  it('names variable, folder and missing binary', () => {
    install('etcd');
    expect(() => envtestAssets({ KUBEBUILDER_ASSETS: folder })).toThrow(
      `KUBEBUILDER_ASSETS names the folder ${folder}, which has no executable kube-apiserver`,
    );
  });

  it('refuses a binary that cannot be executed', () => {
    install('etcd', 0o644);
    install('kube-apiserver');
    expect(() => envtestAssets({ KUBEBUILDER_ASSETS: folder })).toThrow('no executable etcd');
  });

  it('asks for kube-controller-manager only when it is to be started', async () => {
    install('etcd');
    install('kube-apiserver');
    const start = startEnvtest({
      assets: folder,
      controllerManager: [],
      signal: new AbortController().signal,
    });
    await expect(start).rejects.toThrow(`${folder}, which has no executable kube-controller-manager`);
  });
});
