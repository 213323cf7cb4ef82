import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { PackedPackage } from './packed-package.ts';
import { runCommand } from './run-command.ts';

export type PackageManager = 'npm' | 'pnpm';

/** What a consumer installs beside our packages. */
export type ConsumerDependencies = Readonly<Record<string, string>>;

/** Every entry point of a package that code can import. */
export function entryPoints({ manifest }: PackedPackage): readonly string[] {
  return Object.keys(manifest.exports ?? {})
    .filter((path) => path !== './package.json')
    .map((path) => `${manifest.name}${path.slice(1)}`);
}

/** Installs every tarball and `more` into a fresh project with `manager`. @returns the folder of the project. */
export async function installConsumer(
  parent: string,
  manager: PackageManager,
  packages: readonly PackedPackage[],
  more: ConsumerDependencies,
): Promise<string> {
  const folder = join(parent, `consumer-${manager}`);
  await mkdir(folder);
  const ours = Object.fromEntries(
    packages.map(({ manifest, tarball }) => [manifest.name, `file:${tarball}`]),
  );
  const manifest = {
    name: 'consumer',
    private: true,
    type: 'module',
    dependencies: { ...ours, '@opentelemetry/api': '1.10.0', ...more },
    ...(manager === 'npm' && { overrides: ours }),
  };
  await writeFile(join(folder, 'package.json'), JSON.stringify(manifest, undefined, 2));
  if (manager === 'pnpm') {
    const overrides = Object.entries(ours).map(([name, file]) => `  "${name}": ${JSON.stringify(file)}`);
    // Install scripts are refused: pnpm fails when a dependency has one that is not listed.
    const settings = [
      'overrides:',
      ...overrides,
      'allowBuilds:',
      '  ssh2: false',
      '  cpu-features: false',
      '  esbuild: false',
      '',
    ];
    await writeFile(join(folder, 'pnpm-workspace.yaml'), settings.join('\n'));
  }
  const imports = packages.flatMap(entryPoints);
  const lines = imports.map((path, index) => `import * as module${index} from '${path}';`);
  const uses = imports.map(
    (_, index) => `if (Object.keys(module${index}).length === 0) throw new Error('empty');`,
  );
  await writeFile(join(folder, 'use.ts'), [...lines, ...uses, ''].join('\n'));
  await runCommand(folder, manager, [
    'install',
    ...(manager === 'npm' ? ['--ignore-scripts'] : ['--no-frozen-lockfile']),
  ]);
  return folder;
}
