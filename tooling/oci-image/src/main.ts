import { execFileSync } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { buildApp } from './build-app.ts';
import { buildImage } from './build-image.ts';

/** pnpm oci-image --base FOLDER [--base-digest sha256:...] --out FOLDER. See README.md. */
const root = fileURLToPath(new URL('../../../', import.meta.url));
const { values } = parseArgs({
  options: { base: { type: 'string' }, 'base-digest': { type: 'string' }, out: { type: 'string' } },
});
const { base, out, 'base-digest': baseDigest } = values;
if (base === undefined || out === undefined)
  throw new TypeError(
    'Expected --base FOLDER, an OCI layout or root file systems in amd64 and arm64, and --out FOLDER',
  );
const git = (...args: readonly string[]) => execFileSync('git', args, { cwd: root, encoding: 'utf8' }).trim();
const project = JSON.parse(await readFile(join(root, 'tooling/release-check/project.json'), 'utf8')) as {
  repository: string;
};
const scratch = await mkdtemp(join(tmpdir(), 'oci-image-'));
try {
  const digest = await buildImage({
    app: await buildApp(root, scratch),
    dockerfile: await readFile(join(root, 'deploy/Dockerfile'), 'utf8'),
    base: resolve(base),
    baseDigest,
    out: resolve(out),
    createdAtMs: Number(git('log', '-1', '--format=%ct')) * 1_000,
    revision: git('rev-parse', 'HEAD'),
    source: project.repository,
  });
  process.stdout.write(`${digest}\n`);
} finally {
  await rm(scratch, { recursive: true, force: true });
}
