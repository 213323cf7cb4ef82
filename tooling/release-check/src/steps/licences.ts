import { runCommand } from '../run-command.ts';
import { refuse, type Step } from '../step.ts';

/** Licences that a user of Apache-2.0 software can accept without asking. */
const ACCEPTED =
  /^\(?(MIT|Apache-2\.0|ISC|BSD-[23]-Clause|0BSD|BlueOak-1\.0\.0|Unlicense|CC0-1\.0|Python-2\.0|PSF-2\.0)( OR .*)?\)?$/;

/** Every production dependency has a licence that is accepted. */
export const licences: Step = {
  name: 'licences',
  async run({ root }) {
    const text = await runCommand(root, 'pnpm', [
      '--filter',
      './packages/*',
      '--filter',
      './apps/controller',
      'licenses',
      'list',
      '--prod',
      '--json',
    ]);
    const byLicence = JSON.parse(text) as Readonly<Record<string, readonly { readonly name: string }[]>>;
    const problems = Object.entries(byLicence)
      .filter(([licence]) => !ACCEPTED.test(licence))
      .map(([licence, packages]) => `${licence}: ${packages.map(({ name }) => name).join(', ')}`);
    refuse(problems);
    return Object.entries(byLicence)
      .map(([licence, packages]) => `${licence} ${packages.length}`)
      .join(', ');
  },
};
