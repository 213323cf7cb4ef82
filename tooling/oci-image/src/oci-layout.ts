import { createHash } from 'node:crypto';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

export interface Descriptor {
  readonly mediaType: string;
  readonly digest: string;
  readonly size: number;
  readonly platform?: Platform;
  readonly annotations?: Readonly<Record<string, string>>;
}

export interface Platform {
  readonly os: 'linux';
  readonly architecture: 'amd64' | 'arm64';
}

export interface Manifest {
  readonly schemaVersion: 2;
  readonly mediaType: string;
  readonly config: Descriptor;
  readonly layers: readonly Descriptor[];
  readonly annotations?: Readonly<Record<string, string>>;
}

export const MEDIA = {
  index: 'application/vnd.oci.image.index.v1+json',
  manifest: 'application/vnd.oci.image.manifest.v1+json',
  config: 'application/vnd.oci.image.config.v1+json',
  layer: 'application/vnd.oci.image.layer.v1.tar+gzip',
} as const;

export function digestOf(content: Uint8Array): string {
  return `sha256:${createHash('sha256').update(content).digest('hex')}`;
}

/** Writes blobs and the index of an OCI image layout. @see https://github.com/opencontainers/image-spec/blob/main/image-layout.md */
export class OciLayout {
  readonly #folder: string;

  constructor(folder: string) {
    this.#folder = folder;
  }

  async blob(content: Uint8Array, mediaType: string): Promise<Descriptor> {
    const digest = digestOf(content);
    const path = join(this.#folder, 'blobs', ...digest.split(':'));
    await mkdir(join(path, '..'), { recursive: true });
    await writeFile(path, content);
    return { mediaType, digest, size: content.length };
  }

  json(value: unknown, mediaType: string): Promise<Descriptor> {
    return this.blob(Buffer.from(JSON.stringify(value)), mediaType);
  }

  /** Ends the layout with an index that names `image`. */
  async finish(image: Descriptor): Promise<void> {
    const index = { schemaVersion: 2, mediaType: MEDIA.index, manifests: [image] };
    await writeFile(join(this.#folder, 'index.json'), JSON.stringify(index));
    await writeFile(join(this.#folder, 'oci-layout'), JSON.stringify({ imageLayoutVersion: '1.0.0' }));
  }
}

/** A blob of a layout. @throws when it is missing or its content has another digest */
export async function readBlob(folder: string, digest: string): Promise<Buffer> {
  const content = await readFile(join(folder, 'blobs', ...digest.split(':')));
  if (digestOf(content) !== digest)
    throw new Error(`${folder}: the content of ${digest} has digest ${digestOf(content)}`);
  return content;
}

export async function readBlobJson<T>(folder: string, digest: string): Promise<T> {
  return JSON.parse((await readBlob(folder, digest)).toString('utf8')) as T;
}
