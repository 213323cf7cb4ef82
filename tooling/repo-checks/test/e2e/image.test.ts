import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { cp, mkdir, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { ROOT } from '../../src/documents.ts';

const run = promisify(execFile);

/** One instruction of a Dockerfile: `COPY`, `RUN`, ... and the rest of its line. */
interface Instruction {
  readonly stage: string;
  readonly name: string;
  readonly text: string;
}

function parseDockerfile(text: string): readonly Instruction[] {
  let stage = '';
  return text.split('\n').flatMap((line) => {
    const [, name = '', rest = ''] = /^([A-Z]+)\s+(.*)$/.exec(line) ?? [];
    if (name === 'FROM') stage = / AS (\S+)$/.exec(rest)?.[1] ?? 'final';
    return name === '' || name === 'FROM' ? [] : [{ stage, name, text: rest }];
  });
}

/** Carries out a Dockerfile without an engine: absolute paths lie below a folder for each stage. */
class DryImage {
  readonly #folder: string;
  readonly #instructions: readonly Instruction[];
  readonly #workdirs = new Map<string, string>();

  constructor(folder: string, dockerfile: string) {
    this.#folder = folder;
    this.#instructions = parseDockerfile(dockerfile);
  }

  async build(): Promise<void> {
    await this.#installBaseNode();
    for (const { stage, name, text } of this.#instructions) {
      if (name === 'WORKDIR') await this.#workdir(stage, text);
      if (name === 'COPY') await this.#copy(stage, text);
      if (name === 'RUN') await this.#run(stage, text);
    }
  }

  /** Command lines that the Node.js of the base images ran. */
  async baseNodeCalls(): Promise<readonly string[]> {
    return (await readFile(join(this.#folder, 'calls'), 'utf8')).trim().split('\n');
  }

  /** Replaces the Node.js of the base images by the one of this test, with a record of its calls. */
  async #installBaseNode(): Promise<void> {
    const node = join(this.#folder, 'base/node');
    await mkdir(dirname(node), { recursive: true });
    const script = `#!/bin/sh\necho "$*" >> ${join(this.#folder, 'calls')}\nexec ${process.execPath} "$@"\n`;
    await writeFile(node, script, { mode: 0o755 });
  }

  path(stage: string, path: string): string {
    return path.startsWith('/')
      ? join(this.#folder, stage, path)
      : join(this.#workdirs.get(stage) ?? '', path);
  }

  async #workdir(stage: string, path: string): Promise<void> {
    const folder = join(this.#folder, stage, path);
    await mkdir(folder, { recursive: true });
    this.#workdirs.set(stage, folder);
  }

  async #copy(stage: string, text: string): Promise<void> {
    const [, from, list = ''] = /^(?:--from=(\S+) )?(.*)$/.exec(text) ?? [];
    const paths = list.split(' ');
    const target = this.path(stage, paths.pop() ?? '.');
    if (from === undefined) {
      // The build context: what git tracks, as a clone has it.
      await run('git', ['clone', '--quiet', '--no-hardlinks', ROOT, target]);
      return;
    }
    for (const path of paths) {
      const source = this.path(from, path);
      const isFolder = (await stat(source)).isDirectory();
      await cp(source, isFolder ? target : join(target, source.slice(dirname(source).length + 1)), {
        recursive: true,
      });
    }
  }

  async #run(stage: string, command: string): Promise<void> {
    const { PATH = '' } = process.env;
    const path = `${join(this.#folder, 'base')}:${systemPath(PATH)}`;
    const env = { ...process.env, PATH: path, CI: 'true', TURBO_TELEMETRY_DISABLED: '1' };
    await run('sh', ['-c', command], { cwd: this.#workdirs.get(stage), env, maxBuffer: 2 ** 26 });
  }
}

/** Without the folders of this checkout, which a clean build must not see. */
function systemPath(path: string): string {
  return path
    .split(':')
    .filter((folder) => !folder.includes('node_modules'))
    .join(':');
}

describe('deploy/Dockerfile', () => {
  let folder: string;
  let image: DryImage;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'reattach-image-'));
    image = new DryImage(folder, await readFile(join(ROOT, 'deploy/Dockerfile'), 'utf8'));
    await image.build();
  }, 900_000);
  afterAll(() => rm(folder, { recursive: true, force: true }));

  it('leaves a bundle that starts in an empty folder with an empty environment', async () => {
    const app = image.path('final', '/app');
    const { stdout } = await run(process.execPath, ['main.mjs', '--version'], { cwd: app, env: {} });
    expect(stdout).toMatch(/^reattach \d+\.\d+\.\d+\n$/);
    const child = spawn(process.execPath, ['main.mjs', 'run'], { cwd: app, env: {} });
    const [code] = await once(child, 'exit');
    expect(code).toBe(2);
    const { size } = await stat(join(app, 'main.mjs'));
    expect(size).toBeLessThan(6 * 2 ** 20);
  });

  it('bundles with the Node.js of the base image', async () => {
    expect(await image.baseNodeCalls()).toContain('build.mjs');
  });

  it('takes pnpm and turbo in the versions of the lockfile', async () => {
    const { catalog } = parse(await readFile(join(ROOT, 'pnpm-workspace.yaml'), 'utf8')) as {
      readonly catalog: Readonly<Record<string, string>>;
    };
    const { devDependencies } = JSON.parse(await readFile(join(ROOT, 'package.json'), 'utf8')) as {
      readonly devDependencies: Readonly<Record<string, string>>;
    };
    for (const [tool, version] of [
      ['pnpm', devDependencies['pnpm']],
      ['turbo', catalog['turbo']],
    ] as const) {
      const { stdout } = await run(image.path('prune', join('.tools', tool)), ['--version']);
      expect(stdout.trim()).toBe(version);
    }
  });

  it('says what is in the bundle', async () => {
    const { components } = JSON.parse(await readFile(image.path('final', '/app/sbom.cdx.json'), 'utf8'));
    const names = components.map(({ name }: { name: string }) => name);
    expect(names).toEqual(expect.arrayContaining(['@reattach/core', 'ssh2', 'undici']));
    expect(names).not.toContain('vitest');
  });
});
