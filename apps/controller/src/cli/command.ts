import type { ExitCode } from '../exit-code.ts';
import type { CliIo } from './cli-io.ts';

/** A flag of one command; those of the configuration work with every command. */
export interface CommandFlag {
  readonly name: `--${string}`;
  readonly short?: `-${string}`;
  /** What follows it; absent: nothing does. */
  readonly value?: string;
  /** The only values it takes. */
  readonly choices?: readonly string[];
  readonly description: string;
}

/** What a command was called with. */
export interface Call {
  readonly args: readonly string[];
  /** By name; `true` for one without a value. */
  readonly flags: ReadonlyMap<string, string | true>;
  /** Flags of the configuration, as they came. */
  readonly configArgv: readonly string[];
}

/** One command of `reattach`. */
export interface Command {
  readonly name: string;
  /** Its arguments, as help shows them: `<node>`; `[command]` may be left out. */
  readonly args: readonly (`<${string}>` | `[${string}]`)[];
  /** For help and README. */
  readonly summary: string;
  readonly flags: readonly CommandFlag[];
  readonly run: (call: Call, io: CliIo) => Promise<ExitCode>;
}

export const OUTPUT_FLAG: CommandFlag = {
  name: '--output',
  short: '-o',
  value: 'format',
  choices: ['table', 'json', 'yaml'],
  description: 'How to print it. Default `table`.',
};

export const SERVER_FLAG: CommandFlag = {
  name: '--server',
  value: 'URL',
  description:
    'The running controller to ask. Default `REATTACH_SERVER`, else `http.listen` when it answers there.',
};
