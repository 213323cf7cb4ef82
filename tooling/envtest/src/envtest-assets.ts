import { accessSync, constants, existsSync } from 'node:fs';
import { join } from 'node:path';

/** A binary that envtest runs. */
export type EnvtestComponent =
  | 'etcd'
  | 'kube-apiserver'
  | 'kube-controller-manager'
  | 'apiextensions-apiserver';

const VARIABLE = 'KUBEBUILDER_ASSETS';

/**
 * Folder of the binaries from the environment variable `KUBEBUILDER_ASSETS`; `undefined` when it is unset or empty.
 * kube-controller-manager is looked for only when it is to be started: upstream's own envtest archives lack it.
 * @throws {Error} naming variable, folder and binary, when the variable is set but a binary is missing.
 */
export function envtestAssets(
  environment: Readonly<Record<string, string | undefined>> = process.env,
): string | undefined {
  const folder = environment[VARIABLE];
  if (folder === undefined || folder === '') return undefined;
  binaryPath(folder, 'etcd');
  binaryPath(folder, 'kube-apiserver');
  return folder;
}

/** Whether the binary is there: not every set of them has all. */
export function hasComponent(folder: string, component: EnvtestComponent): boolean {
  return existsSync(join(folder, component));
}

/** @throws {Error} naming variable, folder and binary, when the binary is missing or not executable. */
export function binaryPath(folder: string, component: EnvtestComponent): string {
  const path = join(folder, component);
  try {
    accessSync(path, constants.X_OK);
  } catch (cause) {
    throw new Error(`${VARIABLE} names the folder ${folder}, which has no executable ${component}`, {
      cause,
    });
  }
  return path;
}
