import { mkdir, readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { runCommand } from './run-command.ts';

/** The fields of a manifest that the checks read. */
export interface Manifest {
  readonly name: string;
  readonly version: string;
  readonly private?: boolean;
  readonly scripts?: Readonly<Record<string, string>>;
  readonly exports?: Readonly<Record<string, string | Readonly<Record<string, string>>>>;
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly peerDependencies?: Readonly<Record<string, string>>;
  readonly [field: string]: unknown;
}

/** A publishable package as its users receive it. */
export interface PackedPackage {
  readonly tarball: string;
  /** The unpacked tarball. */
  readonly folder: string;
  /** The manifest in the tarball. */
  readonly manifest: Manifest;
}

/** Builds and packs every workspace that is not private into `target`. */
export async function packPackages(root: string, target: string): Promise<readonly PackedPackage[]> {
  const packed: PackedPackage[] = [];
  await runCommand(root, 'pnpm', ['build']);
  for (const folder of await publishableFolders(root)) {
    await runCommand(folder, 'pnpm', ['pack', '--pack-destination', target]);
  }
  for (const file of (await readdir(target)).filter((name) => name.endsWith('.tgz')).toSorted()) {
    const tarball = join(target, file);
    const folder = join(target, file.replace(/\.tgz$/, ''));
    await mkdir(folder);
    await runCommand(target, 'tar', ['-xzf', tarball, '-C', folder, '--strip-components=1']);
    packed.push({ tarball, folder, manifest: await readManifest(folder) });
  }
  if (packed.length === 0) throw new Error(`Expected publishable packages below ${root}, found none`);
  return packed;
}

export async function readManifest(folder: string): Promise<Manifest> {
  return JSON.parse(await readFile(join(folder, 'package.json'), 'utf8')) as Manifest;
}

/** Folders of the workspaces that are published. */
export async function publishableFolders(root: string): Promise<readonly string[]> {
  const parents = ['packages', 'tooling'];
  const folders = await Promise.all(
    parents.map(async (parent) =>
      (await readdir(join(root, parent), { withFileTypes: true }))
        .filter((entry) => entry.isDirectory())
        .map(({ name }) => join(root, parent, name)),
    ),
  );
  const manifests = await Promise.all(
    folders.flat().map(async (folder) => ({ folder, manifest: await readManifest(folder) })),
  );
  return manifests.filter(({ manifest }) => manifest.private !== true).map(({ folder }) => folder);
}
