import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { ROOT } from '../documents.ts';
import type { Manifest } from './chart-files.ts';
import { podOf } from './pod-of.ts';

const run = promisify(execFile);

/**
 * Runs `reattach doctor --print-probes` with the environment and the files that the pod would have. The command reads the whole
 * configuration and contacts neither cluster nor backend.
 * @returns its standard output. @throws {Error} with its standard error, when it refuses the configuration.
 */
export async function probeAsPod(manifests: readonly Manifest[]): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'reattach-pod-'));
  try {
    const relocate = (text: string) =>
      text.replaceAll('/etc/reattach-backend/', `${folder}/`).replaceAll('/etc/reattach/', `${folder}/`);
    await writeFile(join(folder, 'config.yaml'), relocate(configOf(manifests)));
    for (const name of ['id_ed25519', 'passphrase', 'host-key', 'west'])
      await writeFile(join(folder, name), 'for tests', { mode: 0o600 });
    const [{ env: variables }] = podOf(manifests).spec.containers;
    const env = Object.fromEntries(
      variables.flatMap(({ name, value }) => (value === undefined ? [] : [[name, relocate(value)]])),
    );
    const args = [
      '--conditions=source',
      join(ROOT, 'apps/controller/src/main.ts'),
      'doctor',
      '--print-probes',
    ];
    const { stdout } = await run(process.execPath, args, { env });
    return stdout;
  } finally {
    await rm(folder, { recursive: true });
  }
}

/** The controller's configuration file in the ConfigMap. */
export function configOf(manifests: readonly Manifest[]): string {
  const files = manifests
    .filter(({ kind }) => kind === 'ConfigMap')
    .map((manifest) => (manifest['data'] as Readonly<Record<string, string>>)['config.yaml']);
  const text = files.find((file) => file !== undefined);
  if (text === undefined) throw new TypeError('Expected a ConfigMap with config.yaml');
  return text;
}
