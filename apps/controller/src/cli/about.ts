import { didYouMean } from '../config/did-you-mean.ts';
import { EXIT } from '../exit-code.ts';
import { VERSION } from '../version.ts';
import { usageError } from './cli-error.ts';
import type { Command } from './command.ts';
import { commandHelp } from './help.ts';

/** @param commands all there are. @param helpText of the whole program. */
export function helpCommand(commands: () => readonly Command[], helpText: () => string): Command {
  return {
    name: 'help',
    args: ['[command]'],
    summary: 'Print this text, or the help of one command.',
    flags: [],
    async run({ args: [name] }, io) {
      const command = commands().find((each) => each.name === name);
      if (name !== undefined && !command) throw usageError(unknownCommand(name, commands()));
      io.stdout(command ? commandHelp(command) : helpText());
      return EXIT.ok;
    },
  };
}

export const versionCommand: Command = {
  name: 'version',
  args: [],
  summary: 'Print the version.',
  flags: [],
  async run(_call, io) {
    io.stdout(`reattach ${VERSION}\n`);
    return EXIT.ok;
  },
};

/** What to say when there is no such command. */
export function unknownCommand(given: string, commands: readonly Command[]): string {
  const names = ['run', ...commands.map(({ name }) => name)];
  return `Expected one of the commands ${names.join(', ')}, got ${JSON.stringify(given)}${didYouMean(given, names)}`;
}
