import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { layerOf, readBase } from './base-image.ts';
import { finalStageOf } from './dockerfile.ts';
import { imageSbom } from './image-sbom.ts';
import { type Descriptor, MEDIA, OciLayout, type Platform } from './oci-layout.ts';
import { type TarEntry, tarOf } from './tar.ts';

export interface ImageOptions {
  /** The built app: `apps/controller` after `node build.mjs`. */
  readonly app: string;
  /** Text of deploy/Dockerfile. */
  readonly dockerfile: string;
  readonly base: string;
  readonly baseDigest?: string;
  /** An empty or missing folder: `image` is the OCI layout, `sbom` holds a bill of materials for each platform. */
  readonly out: string;
  /** Every time stamp in the image: of the commit. */
  readonly createdAtMs: number;
  /** The commit. */
  readonly revision: string;
  /** URL of the repository. */
  readonly source: string;
}

const PLATFORMS: readonly Platform[] = [
  { os: 'linux', architecture: 'amd64' },
  { os: 'linux', architecture: 'arm64' },
];

/** Writes the image for both platforms. The same commit, base and Node.js give the same bytes. @returns its digest */
export async function buildImage(options: ImageOptions): Promise<string> {
  const layout = new OciLayout(join(options.out, 'image'));
  await mkdir(join(options.out, 'sbom'), { recursive: true });
  const { version } = JSON.parse(await readFile(join(options.app, 'package.json'), 'utf8')) as {
    version: string;
  };
  const annotations = {
    'org.opencontainers.image.created': new Date(options.createdAtMs).toISOString(),
    'org.opencontainers.image.description': 'Storage-aware failover for Kubernetes',
    'org.opencontainers.image.licenses': 'Apache-2.0',
    'org.opencontainers.image.revision': options.revision,
    'org.opencontainers.image.source': options.source,
    'org.opencontainers.image.title': 'reattach',
    'org.opencontainers.image.version': version,
  };
  const manifests: Descriptor[] = [];
  for (const platform of PLATFORMS) manifests.push(await addPlatform(layout, options, platform, annotations));
  const index = { schemaVersion: 2, mediaType: MEDIA.index, manifests, annotations };
  const image = await layout.json(index, MEDIA.index);
  await layout.finish({ ...image, annotations: { 'org.opencontainers.image.ref.name': version } });
  return image.digest;
}

async function addPlatform(
  layout: OciLayout,
  { app, dockerfile, base: folder, baseDigest, out, createdAtMs }: ImageOptions,
  platform: Platform,
  labels: Readonly<Record<string, string>>,
): Promise<Descriptor> {
  const stage = finalStageOf(dockerfile);
  const mtimeSeconds = Math.floor(createdAtMs / 1_000);
  const base = await readBase(folder, baseDigest, platform, mtimeSeconds);
  const workdir = stage.workdir.replace(/^\//, '');
  const files = await Promise.all(
    stage.files.map(
      async (path): Promise<TarEntry> => ({
        path: `${workdir}/${basename(path)}`,
        mode: 0o644,
        content: await readFile(join(app, path)),
      }),
    ),
  );
  const layers = [...base.layers, layerOf(tarOf([{ path: workdir, mode: 0o755 }, ...files], mtimeSeconds))];
  const created = new Date(createdAtMs).toISOString();
  const config = await layout.json(
    {
      created,
      ...platform,
      config: {
        User: stage.user,
        ExposedPorts: Object.fromEntries(stage.ports.map((port) => [port, {}])),
        Env: [...base.env, ...stage.env],
        Entrypoint: stage.entrypoint,
        Cmd: stage.command,
        WorkingDir: stage.workdir,
        Labels: labels,
      },
      rootfs: { type: 'layers', diff_ids: layers.map(({ diffId }) => diffId) },
      history: layers.map((_, index) => ({
        created,
        created_by: index < layers.length - 1 ? 'base' : 'tooling/oci-image',
      })),
    },
    MEDIA.config,
  );
  const blobs: Descriptor[] = [];
  for (const { content, mediaType } of layers) blobs.push(await layout.blob(content, mediaType));
  const bundle = JSON.parse(await readFile(join(app, 'dist/sbom.cdx.json'), 'utf8')) as Parameters<
    typeof imageSbom
  >[0];
  const sbom = `${JSON.stringify(imageSbom(bundle, base), undefined, 2)}\n`;
  await writeFile(join(out, 'sbom', `linux-${platform.architecture}.cdx.json`), sbom);
  const manifest = {
    schemaVersion: 2,
    mediaType: MEDIA.manifest,
    config,
    layers: blobs,
    annotations: labels,
  };
  return { ...(await layout.json(manifest, MEDIA.manifest)), platform };
}
