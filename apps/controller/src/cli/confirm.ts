import { CliError, usageError } from './cli-error.ts';
import type { CliIo } from './cli-io.ts';
import type { Call, CommandFlag } from './command.ts';

export const YES_FLAG: CommandFlag = {
  name: '--yes',
  description: "Do not ask for the node's name as confirmation.",
};

/** Has the operator type the name of what is about to change. @throws {CliError} when the answer differs */
export async function confirm({ flags }: Call, io: CliIo, name: string, what: string): Promise<void> {
  io.stderr(`${what}\n`);
  if (flags.has('--yes')) return;
  const answer = await io.ask(`Type ${name} to go on: `);
  if (answer === undefined) throw usageError('Expected --yes, since there is no terminal to ask at');
  if (answer.trim() !== name) throw new CliError('Nothing was changed');
}
