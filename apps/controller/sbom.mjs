import { readFile } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';

/**
 * A CycloneDX 1.6 bill of materials of exactly those packages whose files went into the bundle.
 * @param {{ inputs: Record<string, unknown> }} metafile of esbuild
 */
export async function sbomOf({ inputs }) {
  const manifests = new Map();
  for (const file of Object.keys(inputs)) {
    const manifest = await manifestOf(dirname(resolve(file)));
    if (manifest) manifests.set(`${manifest.name}@${manifest.version}`, manifest);
  }
  const components = [...manifests.values()]
    .toSorted((a, b) => (a.name < b.name ? -1 : 1))
    .map(({ name, version, license }) => ({
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
    if (manifest.name && manifest.version) return manifest;
  } catch (err) {
    if (err.code !== 'ENOENT') throw err;
  }
  const parent = dirname(folder);
  return parent === folder ? undefined : manifestOf(parent);
}
