import { execFile } from 'node:child_process';
import { cp, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ROOT } from './documents.ts';

const run = promisify(execFile);

/** A file with one import in an empty copy of the tree, linted with the real configuration. */
describe('import directions', () => {
  let tree: string;

  beforeAll(async () => {
    tree = await mkdtemp(join(tmpdir(), 'import-directions-'));
    await cp(join(ROOT, '.oxlintrc.json'), join(tree, '.oxlintrc.json'));
  });
  afterAll(() => rm(tree, { recursive: true }));

  async function refusals(file: string, specifier: string): Promise<number> {
    const path = join(tree, file);
    await mkdir(dirname(path), { recursive: true });
    await writeFile(path, `import { thing } from '${specifier}';\nthing();\n`);
    const args = ['-c', join(tree, '.oxlintrc.json'), '--format', 'json', path];
    const { stdout } = await run(join(ROOT, 'node_modules/.bin/oxlint'), args, { cwd: tree }).catch(
      (err: { stdout: string }) => err, // exit status 1: something was found
    );
    const { diagnostics } = JSON.parse(stdout) as { diagnostics: { code: string }[] };
    return diagnostics.filter(({ code }) => code.includes('no-restricted-imports')).length;
  }

  it.each([
    ['packages/core/src/a.ts', 'node:fs'],
    ['packages/core/src/a.ts', '@reattach/k8s-api'],
    ['packages/core/src/a.ts', 'zod'],
    ['packages/k8s-api/src/a.ts', '@reattach/k8s-watch'],
    ['packages/k8s-watch/src/a.ts', '@reattach/k8s-actions'],
    ['packages/k8s-watch/src/a.ts', '@kubernetes/client-node'],
    ['packages/k8s-actions/src/a.ts', '@reattach/rds-client'],
    ['packages/k8s-actions/src/a.ts', '@reattach/controller'],
    ['packages/controller-kit/src/a.ts', '@reattach/rds-client'],
    ['packages/rds-client/src/a.ts', '@reattach/k8s-api'],
    ['packages/rds-client/src/a.ts', '@kubernetes/client-node'],
    ['tooling/rds-sim/src/a.ts', '@reattach/rds-client'],
    ['tooling/kube-sim/src/a.ts', '@reattach/k8s-watch'],
    ['apps/controller/src/a.ts', 'ssh2'],
    ['apps/demo/src/a.ts', '@kubernetes/client-node'],
  ])('%s may not import %s', async (file, specifier) => {
    expect(await refusals(file, specifier)).toBe(1);
  });

  it.each([
    ['packages/core/src/a.ts', '@opentelemetry/api'],
    ['packages/core/src/a.ts', './b.ts'],
    ['packages/k8s-watch/src/a.ts', '@reattach/k8s-api'],
    ['packages/k8s-actions/src/a.ts', '@reattach/core'],
    ['packages/controller-kit/src/a.ts', '@reattach/k8s-watch'],
    ['packages/rds-client/src/a.ts', 'ssh2'],
    ['apps/controller/src/a.ts', '@reattach/rds-client'],
  ])('%s may import %s', async (file, specifier) => {
    expect(await refusals(file, specifier)).toBe(0);
  });
});
