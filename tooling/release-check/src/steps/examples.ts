import { cp, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parse } from 'yaml';
import type { PackedPackage } from '../packed-package.ts';
import { runCommand } from '../run-command.ts';
import { refuse, type Step } from '../step.ts';

/** A driver has fewer lines than this. */
const MOST_LINES = 100;
const DRIVERS = ['csi-controller', 'own-backend'];

type Ranges = Readonly<Record<string, string>>;
interface ExampleManifest {
  readonly dependencies: Ranges;
  readonly devDependencies: Ranges;
}

/** The examples, installed from the tarballs: they compile, and their tests run against kube-sim. */
export const examples: Step = {
  name: 'examples',
  async run({ root, scratch, packages }) {
    const folder = join(scratch, 'examples');
    await cp(join(root, 'examples'), folder, {
      recursive: true,
      filter: (path) => !/node_modules|\.turbo/.test(path),
    });
    await writeManifest(root, folder, packages);
    await runCommand(folder, 'npm', ['install', '--ignore-scripts']);
    await runCommand(folder, process.execPath, ['node_modules/typescript/bin/tsc', '-p', '.']);
    const tests = await runCommand(folder, process.execPath, ['node_modules/vitest/vitest.mjs', 'run']);
    const passed = / Tests .*?(\d+) passed/.exec(tests)?.[1];
    const lines = await Promise.all(
      DRIVERS.map(async (driver) => {
        const text = await readFile(join(folder, driver, 'driver.ts'), 'utf8');
        return { driver, count: text.trimEnd().split('\n').length };
      }),
    );
    refuse(
      lines
        .filter(({ count }) => count >= MOST_LINES)
        .map(({ driver, count }) => `${driver}: ${count} lines, expected fewer than ${MOST_LINES}`),
    );
    return `${lines.map(({ driver, count }) => `${driver} ${count} lines`).join(', ')}; ${passed} tests passed`;
  },
};

/** Replaces the ranges of the workspace by tarballs and versions. */
async function writeManifest(
  root: string,
  folder: string,
  packages: readonly PackedPackage[],
): Promise<void> {
  const { catalog } = parse(await readFile(join(root, 'pnpm-workspace.yaml'), 'utf8')) as { catalog: Ranges };
  const tarballs = Object.fromEntries(
    packages.map(({ manifest, tarball }) => [manifest.name, `file:${tarball}`]),
  );
  const resolved = (ranges: Ranges) =>
    Object.fromEntries(
      Object.entries(ranges).map(([name, range]) => [
        name,
        range === 'catalog:' ? catalog[name] : (tarballs[name] ?? range),
      ]),
    );
  const path = join(folder, 'package.json');
  const manifest = JSON.parse(await readFile(path, 'utf8')) as ExampleManifest;
  const dependencies = {
    ...tarballs,
    ...resolved({ ...manifest.dependencies, ...manifest.devDependencies }),
  };
  await writeFile(
    path,
    JSON.stringify({ ...manifest, dependencies, devDependencies: {}, overrides: tarballs }),
  );
}
