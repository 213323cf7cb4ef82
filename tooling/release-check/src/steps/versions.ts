import { readdir, readFile } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { parse } from 'yaml';
import { bumpsOf, missingMajors } from '../missing-majors.ts';
import { publishableFolders, readManifest } from '../packed-package.ts';
import { runCommand } from '../run-command.ts';
import { refuse, type Step } from '../step.ts';

/** A major of core comes with a major of every package built on it: two copies of core in one process share no types. */
export const majors: Step = {
  name: 'propagation of majors',
  async run({ root }) {
    const files = (await readdir(join(root, '.changeset'))).filter((file) => /^(?!README).*\.md$/.test(file));
    const changesets = await Promise.all(
      files.map(async (file) => bumpsOf(await readFile(join(root, '.changeset', file), 'utf8'), file)),
    );
    const manifests = await Promise.all((await publishableFolders(root)).map(readManifest));
    refuse(
      missingMajors(changesets, manifests).map(
        (name) => `core gets a major: add a changeset with a major of ${name}`,
      ),
    );
    return `${changesets.length} changesets`;
  },
};

/** A trial of the release: each published package gets a changelog, the chart the version of the controller. */
export const changelogs: Step = {
  name: 'changelogs',
  async run({ root, scratch }) {
    const clone = join(scratch, 'changelogs');
    await runCommand(scratch, 'git', ['clone', '-q', root, clone]);
    await runCommand(clone, 'pnpm', ['install', '--frozen-lockfile', '--prefer-offline']);
    await runCommand(clone, 'pnpm', ['version-packages']);
    const problems: string[] = [];
    const folders = [...(await publishableFolders(clone)), join(clone, 'apps/controller')];
    for (const folder of folders) {
      const { name, version } = await readManifest(folder);
      const text = await readFile(join(folder, 'CHANGELOG.md'), 'utf8').catch(() => '');
      if (!text.includes(`## ${version}`))
        problems.push(`${relative(clone, folder)}: no changelog of ${name} ${version}`);
    }
    const { version } = await readManifest(join(clone, 'apps/controller'));
    const chart = parse(await readFile(join(clone, 'deploy/chart/Chart.yaml'), 'utf8')) as Record<
      string,
      unknown
    >;
    for (const field of ['version', 'appVersion'])
      if (chart[field] !== version)
        problems.push(`Chart.yaml: ${field} is ${String(chart[field])}, expected ${version}`);
    refuse(problems);
    return `${folders.length} changelogs, chart ${version}`;
  },
};
