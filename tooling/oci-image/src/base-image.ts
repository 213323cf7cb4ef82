import { lstat, readdir, readFile, readlink } from 'node:fs/promises';
import { join } from 'node:path';
import { gunzipSync, gzipSync } from 'node:zlib';
import {
  type Descriptor,
  digestOf,
  type Manifest,
  MEDIA,
  type Platform,
  readBlob,
  readBlobJson,
} from './oci-layout.ts';
import { filesIn } from './read-tar.ts';
import { type TarEntry, tarOf } from './tar.ts';

export interface Layer {
  readonly mediaType: string;
  readonly content: Buffer;
  /** Digest of the uncompressed archive. */
  readonly diffId: string;
}

/** What an image is built on. */
export interface BaseImage {
  /** Digest of its manifest; absent for a folder. */
  readonly digest?: string;
  readonly layers: readonly Layer[];
  readonly env: readonly string[];
  /** Its files, for the bill of materials. */
  readonly files: ReadonlyMap<string, Buffer>;
}

interface Index {
  readonly manifests: readonly Descriptor[];
}

interface ImageConfig {
  readonly config?: { readonly Env?: readonly string[] };
  readonly rootfs: { readonly diff_ids: readonly string[] };
}

/**
 * Reads the base for one platform: from an OCI layout (`crane pull --format=oci`), or from root file systems in
 * `<folder>/amd64` and `<folder>/arm64`.
 * @param digest of the base's index or manifest; refused when the layout does not hold it
 */
export async function readBase(
  folder: string,
  digest: string | undefined,
  platform: Platform,
  mtimeSeconds: number,
): Promise<BaseImage> {
  const text = await readFile(join(folder, 'index.json'), 'utf8').catch(() => undefined);
  if (text !== undefined) return readLayoutBase(folder, JSON.parse(text) as Index, digest, platform);
  if (digest !== undefined) throw new Error(`${folder} is not an OCI layout, so it cannot hold ${digest}`);
  const archive = tarOf(await entriesIn(join(folder, platform.architecture)), mtimeSeconds);
  return { layers: [layerOf(archive)], env: [], files: filesIn(archive) };
}

export function layerOf(archive: Buffer): Layer {
  // gzipSync writes no time stamp and no name; level 9 is what every zlib of a version does alike.
  return { mediaType: MEDIA.layer, content: gzipSync(archive, { level: 9 }), diffId: digestOf(archive) };
}

async function readLayoutBase(
  folder: string,
  { manifests }: Index,
  wanted: string | undefined,
  platform: Platform,
): Promise<BaseImage> {
  const roots = manifests.filter(({ digest }) => wanted === undefined || digest === wanted);
  const [root, second] = roots;
  const found = manifests.map(({ digest }) => digest).join(', ');
  if (!root) throw new Error(`${folder} holds ${found}, expected ${wanted}`);
  if (second && wanted === undefined)
    throw new Error(`${folder} holds ${found}: choose one by --base-digest`);
  const isIndex = /index|manifest\.list/.test(root.mediaType);
  const inner = isIndex ? (await readBlobJson<Index>(folder, root.digest)).manifests : [root];
  const chosen = inner.find(
    (each) =>
      !isIndex || (each.platform?.os === platform.os && each.platform.architecture === platform.architecture),
  );
  if (!chosen) throw new Error(`${folder}: ${root.digest} has no image for linux/${platform.architecture}`);
  const manifest = await readBlobJson<Manifest>(folder, chosen.digest);
  const { config, rootfs } = await readBlobJson<ImageConfig>(folder, manifest.config.digest);
  const files = new Map<string, Buffer>();
  const layers: Layer[] = [];
  for (const [index, { digest, mediaType }] of manifest.layers.entries()) {
    const content = await readBlob(folder, digest);
    for (const [path, file] of filesIn(mediaType.endsWith('gzip') ? gunzipSync(content) : content))
      files.set(path, file);
    layers.push({ mediaType, content, diffId: rootfs.diff_ids[index] ?? '' });
  }
  return { digest: chosen.digest, layers, env: config?.Env ?? [], files };
}

/** Everything below `folder`: files, folders and symbolic links. */
async function entriesIn(folder: string): Promise<readonly TarEntry[]> {
  const paths = await readdir(folder, { recursive: true });
  return Promise.all(
    paths.map(async (path): Promise<TarEntry> => {
      const full = join(folder, path);
      const status = await lstat(full);
      if (status.isSymbolicLink())
        return { path, mode: 0o777, content: new Uint8Array(), linkTo: await readlink(full) };
      if (status.isDirectory()) return { path, mode: 0o755 };
      return { path, mode: status.mode & 0o111 ? 0o755 : 0o644, content: await readFile(full) };
    }),
  );
}
