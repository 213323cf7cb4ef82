import { execFile, spawn } from 'node:child_process';
import { cp, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { KubeSim } from '@reattach/kube-sim';
import ssh2 from 'ssh2';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Descriptor, Manifest } from '../../src/oci-layout.ts';
import { readBlobJson } from '../../src/oci-layout.ts';

const run = promisify(execFile);
const main = fileURLToPath(new URL('../../src/main.ts', import.meta.url));

interface ImageConfig {
  readonly created: string;
  readonly config: {
    readonly User: string;
    readonly Env: readonly string[];
    readonly Entrypoint: readonly string[];
    readonly Labels: Readonly<Record<string, string>>;
  };
}

describe('pnpm oci-image', () => {
  let folder: string;
  let manifests: readonly Descriptor[];
  const layout = () => join(folder, 'out-1/image');

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'oci-image-test-'));
    // This machine's own Node.js and its libraries take the place of distroless. The one for arm64 is the same and never started.
    for (const architecture of ['amd64', 'arm64']) await writeRootFs(join(folder, 'base', architecture));
    for (const time of [1, 2]) {
      const args = ['--base', join(folder, 'base'), '--out', join(folder, `out-${time}`)];
      await run(process.execPath, ['--conditions=source', main, ...args], { maxBuffer: 2 ** 26 });
    }
    const index = JSON.parse(await readFile(join(layout(), 'index.json'), 'utf8')) as {
      manifests: Descriptor[];
    };
    manifests = (await readBlobJson<{ manifests: Descriptor[] }>(layout(), index.manifests[0]?.digest ?? ''))
      .manifests;
  }, 900_000);
  afterAll(() => rm(folder, { recursive: true, force: true }));

  it('gives the same bytes twice', async () => {
    const [first, second] = await Promise.all([1, 2].map((time) => contentsOf(join(folder, `out-${time}`))));
    expect(first?.size).toBeGreaterThan(6);
    expect(second).toEqual(first);
  });

  it('holds an image for each platform, with labels and the time of the commit', async () => {
    expect(manifests.map(({ platform }) => platform?.architecture)).toEqual(['amd64', 'arm64']);
    for (const { digest } of manifests) {
      const manifest = await readBlobJson<Manifest>(layout(), digest);
      const { created, config } = await readBlobJson<ImageConfig>(layout(), manifest.config.digest);
      const { stdout } = await run('git', ['log', '-1', '--format=%ct'], { cwd: dirname(main) });
      expect(Date.parse(created)).toBe(Number(stdout) * 1_000);
      expect(config.Labels).toMatchObject({ 'org.opencontainers.image.licenses': 'Apache-2.0' });
    }
  });

  it('lists the bundle and Node.js as components, and holds the licence texts', async () => {
    const { components } = JSON.parse(
      await readFile(join(folder, 'out-1/sbom/linux-amd64.cdx.json'), 'utf8'),
    ) as {
      components: readonly { name: string; version: string }[];
    };
    const versions = Object.fromEntries(components.map(({ name, version }) => [name, version]));
    expect(versions).toMatchObject({
      node: process.versions.node,
      ssh2: expect.any(String),
      'root file system': expect.stringContaining('sha256:'),
    });
    const root = await unpack('amd64');
    const licences = await readFile(join(root, 'app/licences.txt'), 'utf8');
    expect(licences).toContain('Apache License');
    expect(licences).toMatch(/^undici@/m);
  });

  // Only root can mount and change the root folder.
  it.skipIf(process.getuid?.() !== 0)('starts read-only and as a user without rights', async () => {
    await using sim = await KubeSim.start();
    const root = await unpack('amd64');
    await writeConfig(sim, join(root, 'etc/reattach'));
    const { config } = await configOf('amd64');
    expect(config.User).toBe('65532:65532');
    const start = `mount --bind "$0" "$0" && mount -o remount,ro,bind "$0" && exec chroot --userspec=65532:65532 "$0" "$@"`;
    const command = [...config.Entrypoint, 'run', '--config', '/etc/reattach/config.yaml'];
    const env = Object.fromEntries(config.Env.map((line) => line.split('=', 2) as [string, string]));
    const child = spawn('unshare', ['--mount', 'sh', '-c', start, root, ...command], {
      env: { ...env, PATH: '/usr/sbin:/usr/bin:/sbin:/bin' },
    });
    let output = '';
    const exited = new Promise<number | null>((resolve) => child.once('exit', resolve));
    try {
      const url = await new Promise<string>((resolve, reject) => {
        const read = (chunk: Buffer) => {
          output += chunk.toString('utf8');
          const [, found] = /"url":"([^"]+)"/.exec(output) ?? [];
          if (found !== undefined) resolve(found);
        };
        child.stdout.on('data', read);
        child.stderr.on('data', read);
        exited.then((code) => reject(new Error(`Exited with ${code}: ${output}`)), reject);
      });
      expect((await fetch(`${url}/livez`)).status).toBe(200);
      const status = await readFile(`/proc/${child.pid}/status`, 'utf8');
      expect(status).toMatch(/^Uid:\s+65532\s+65532\s+65532\s+65532$/m);
      await expect(writeFile(join('/proc', String(child.pid), 'root/app/x'), '')).rejects.toThrow('EROFS');
    } finally {
      child.kill('SIGTERM');
    }
    expect(await exited).toBe(0);
  });

  async function configOf(architecture: string): Promise<ImageConfig> {
    return readBlobJson<ImageConfig>(layout(), (await manifestOf(architecture)).config.digest);
  }

  async function manifestOf(architecture: string): Promise<Manifest> {
    const found = manifests.find(({ platform }) => platform?.architecture === architecture);
    return readBlobJson<Manifest>(layout(), found?.digest ?? '');
  }

  /** Unpacks all layers as an engine does. */
  async function unpack(architecture: string): Promise<string> {
    const root = await mkdtemp(join(folder, 'root-'));
    for (const { digest } of (await manifestOf(architecture)).layers)
      await run('tar', ['-xzf', join(layout(), 'blobs', ...digest.split(':')), '-C', root]);
    await run('chmod', ['755', root]);
    return root;
  }
});

/** A root file system with Node.js and the libraries it loads. */
async function writeRootFs(root: string): Promise<void> {
  await mkdir(join(root, 'nodejs/bin'), { recursive: true });
  await cp(process.execPath, join(root, 'nodejs/bin/node'), { dereference: true });
  const { stdout } = await run('ldd', [process.execPath]);
  for (const [path] of stdout.matchAll(/\/\S+/g)) {
    await mkdir(join(root, dirname(path)), { recursive: true });
    await cp(path, join(root, path), { dereference: true });
  }
}

async function writeConfig(sim: KubeSim, folder: string): Promise<void> {
  await mkdir(folder, { recursive: true });
  const keys = ssh2.utils.generateKeyPairSync('ed25519');
  await sim.writeKubeconfig(join(folder, 'kubeconfig'));
  await writeFile(join(folder, 'id'), keys.private, { mode: 0o640 });
  await run('chown', ['0:65532', join(folder, 'id')]); // as a Secret with the group of the pod
  await writeFile(join(folder, 'host'), keys.public);
  const lines = [
    'kubeconfig: /etc/reattach/kubeconfig',
    'http: { listen: "127.0.0.1:0" }',
    'leaderElection: { enabled: false }',
    'rds: { address: "127.0.0.1:1", user: reattach, privateKeyFile: /etc/reattach/id, hostKeyFile: /etc/reattach/host }',
  ];
  await writeFile(join(folder, 'config.yaml'), `${lines.join('\n')}\n`);
  await run('chown', ['-R', '65532:65532', folder]);
}

/** Content of every file below `folder`, by path. */
async function contentsOf(folder: string): Promise<ReadonlyMap<string, string>> {
  const files = await readdir(folder, { recursive: true, withFileTypes: true });
  const paths = files.filter((file) => file.isFile()).map((file) => join(file.parentPath, file.name));
  const entries = await Promise.all(
    paths.map(async (path) => [relative(folder, path), (await readFile(path)).toString('base64')] as const),
  );
  return new Map(entries.toSorted(([a], [b]) => (a < b ? -1 : 1)));
}
