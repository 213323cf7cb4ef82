import { join } from 'node:path';
import { publint } from 'publint';
import { formatMessage } from 'publint/utils';
import { runCommand } from '../run-command.ts';
import { refuse, type Step } from '../step.ts';

/** publint: files, fields and exports agree. */
export const publintStep: Step = {
  name: 'publint',
  async run({ packages }) {
    const problems: string[] = [];
    for (const { folder, manifest } of packages) {
      const { messages } = await publint({ pkgDir: folder, pack: false, strict: true, level: 'warning' });
      for (const message of messages)
        problems.push(`${manifest.name}: ${formatMessage(message, manifest) ?? message.code}`);
    }
    refuse(problems);
    return `${packages.length} packages`;
  },
};

/** attw: types resolve as the files do. ESM only: CommonJS resolutions are left out. */
export const attwStep: Step = {
  name: 'attw',
  async run({ root, packages }) {
    const attw = join(root, 'tooling/release-check/node_modules/.bin/attw');
    for (const { tarball } of packages) await runCommand(root, attw, ['--profile', 'esm-only', tarball]);
    return `${packages.length} packages`;
  },
};
