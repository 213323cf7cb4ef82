import { readFile } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';

/**
 * The packages whose files went into the bundle, in the order of their names.
 * @param {{ inputs: Record<string, unknown> }} metafile of esbuild
 * @returns {Promise<readonly { folder: string, name: string, version: string, license?: unknown }[]>}
 */
export async function packagesOf({ inputs }) {
  const found = new Map();
  for (const file of Object.keys(inputs)) {
    const manifest = await manifestOf(dirname(resolve(file)));
    if (manifest) found.set(`${manifest.name}@${manifest.version}`, manifest);
  }
  return [...found.values()].toSorted((a, b) => (a.name < b.name ? -1 : 1));
}

/** A CycloneDX 1.6 bill of materials of these packages. */
export function sbomOf(packages) {
  const components = packages.map(({ name, version, license }) => ({
    type: 'library',
    name,
    version,
    purl: `pkg:npm/${name.replace('@', '%40')}@${version}`,
    ...(typeof license === 'string' && { licenses: [{ expression: license }] }),
  }));
  return { bomFormat: 'CycloneDX', specVersion: '1.6', version: 1, components };
}

/** The nearest package.json that names a package and its version; some packages have more of them inside. */
async function manifestOf(folder) {
  try {
    const manifest = JSON.parse(await readFile(join(folder, 'package.json'), 'utf8'));
    if (manifest.name && manifest.version) return { ...manifest, folder };
  } catch (err) {
    if (err.code !== 'ENOENT') throw err;
  }
  const parent = dirname(folder);
  return parent === folder ? undefined : manifestOf(parent);
}
