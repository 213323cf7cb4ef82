import { access } from 'node:fs/promises';
import { join } from 'node:path';
import type { Manifest } from '../packed-package.ts';
import { refuse, type Step } from '../step.ts';

const REQUIRED = [
  'description',
  'license',
  'repository',
  'homepage',
  'bugs',
  'keywords',
  'engines',
  'publishConfig',
];
const INSTALL_SCRIPTS = ['preinstall', 'install', 'postinstall', 'prepare'];

/** Manifests are complete, name no workspace, hide the source condition and run nothing at a user's installation. */
export const metadata: Step = {
  name: 'metadata',
  async run({ packages }) {
    const problems = await Promise.all(
      packages.map(async ({ manifest, folder }) => [
        ...problemsOf(manifest),
        ...(await missingFiles(folder, manifest.name)),
      ]),
    );
    refuse(problems.flat());
    return `${packages.length} manifests`;
  },
};

function problemsOf(manifest: Manifest): string[] {
  const { name, scripts = {}, exports = {}, dependencies = {}, peerDependencies = {} } = manifest;
  const problems: string[] = [];
  for (const field of REQUIRED)
    if (manifest[field] === undefined) problems.push(`${name}: "${field}" is missing`);
  for (const script of INSTALL_SCRIPTS)
    if (scripts[script] !== undefined) problems.push(`${name}: script "${script}" would run at installation`);
  for (const [path, target] of Object.entries(exports))
    if (typeof target === 'object' && 'source' in target)
      problems.push(`${name}: export "${path}" publishes the condition "source"`);
  for (const [dependency, range] of Object.entries({ ...dependencies, ...peerDependencies })) {
    if (range.startsWith('workspace:') || range === 'catalog:')
      problems.push(`${name}: ${dependency} has the range "${range}", expected a version`);
    if (dependency.startsWith('@reattach/') && !range.startsWith('^'))
      problems.push(`${name}: ${dependency} has the range "${range}", expected a caret range`);
  }
  if ('@reattach/core' in dependencies) problems.push(`${name}: @reattach/core must be a peer dependency`);
  return problems;
}

async function missingFiles(folder: string, name: string): Promise<string[]> {
  const missing: string[] = [];
  for (const file of ['LICENSE', 'README.md']) {
    await access(join(folder, file)).catch(() => missing.push(`${name}: ${file} is not in the tarball`));
  }
  return missing;
}
