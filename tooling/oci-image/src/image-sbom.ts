import type { BaseImage } from './base-image.ts';

interface Component {
  readonly type: 'library' | 'application' | 'container';
  readonly name: string;
  readonly version: string;
  readonly purl?: string;
  readonly hashes?: readonly { readonly alg: 'SHA-256'; readonly content: string }[];
}

interface Sbom {
  readonly components: readonly Component[];
}

/** Where the base keeps Node.js. */
const NODE = 'nodejs/bin/node';

/** The bill of materials of the whole image: the bundle's, Node.js, and the base with its Debian packages. */
export function imageSbom(bundle: Sbom, base: BaseImage): object {
  const components = [...bundle.components, nodeOf(base), ...debianPackagesIn(base), ...baseOf(base)];
  return { bomFormat: 'CycloneDX', specVersion: '1.6', version: 1, components };
}

/** @throws {Error} when the base has no Node.js, or one that does not name its version */
function nodeOf({ files }: BaseImage): Component {
  const binary = files.get(NODE);
  if (!binary) throw new Error(`The base has no /${NODE}`);
  const [, version] =
    /nodejs\.org\/download\/release\/v(\d+\.\d+\.\d+)\//.exec(binary.toString('latin1')) ?? [];
  if (version === undefined) throw new Error(`/${NODE} of the base does not name its version`);
  return { type: 'application', name: 'node', version, purl: `pkg:generic/node@${version}` };
}

/** Distroless images keep one control file for each package. */
function debianPackagesIn({ files }: BaseImage): readonly Component[] {
  return [...files]
    .filter(([path]) => /^var\/lib\/dpkg\/status\.d\/[^.]+$/.test(path))
    .map(([path, content]): Component => {
      const field = (name: string) => new RegExp(`^${name}: (.*)$`, 'm').exec(content.toString('utf8'))?.[1];
      const name = field('Package') ?? path;
      const version = field('Version') ?? 'unknown';
      return {
        type: 'library',
        name,
        version,
        purl: `pkg:deb/debian/${name}@${encodeURIComponent(version)}`,
      };
    })
    .toSorted((a, b) => (a.name < b.name ? -1 : 1));
}

function baseOf({ digest, layers }: BaseImage): readonly Component[] {
  const name = digest === undefined ? 'root file system' : 'base image';
  const version = digest ?? layers.map(({ diffId }) => diffId).join(' ');
  return [{ type: 'container', name, version }];
}
