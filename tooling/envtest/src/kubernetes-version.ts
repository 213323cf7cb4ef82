import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

/** A version of Kubernetes 1.x. */
export interface KubernetesVersion {
  /** `v1.20.2` */
  readonly gitVersion: string;
  readonly minor: number;
}

/** Asks a binary of Kubernetes. @throws {Error} when its answer names no version. */
export async function versionOf(path: string): Promise<KubernetesVersion> {
  const { stdout } = await promisify(execFile)(path, ['--version']); // Kubernetes v1.20.2
  return parseVersion(stdout);
}

/** @throws {Error} for a text without a version of Kubernetes 1.x. */
export function parseVersion(text: string): KubernetesVersion {
  const [gitVersion, minor] = /v1\.(\d+)\S*/.exec(text) ?? [];
  if (gitVersion === undefined || minor === undefined)
    throw new Error(`Expected a version such as "Kubernetes v1.36.2", got ${JSON.stringify(text)}`);
  return { gitVersion, minor: Number(minor) };
}
