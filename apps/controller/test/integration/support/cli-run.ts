import { readFileSync } from 'node:fs';
import { systemClock } from '@reattach/core';
import type { CliIo } from '../../../src/cli/cli-io.ts';
import { COMMANDS } from '../../../src/cli/commands.ts';
import { runCommand } from '../../../src/cli/run-command.ts';
import type { ExitCode } from '../../../src/exit-code.ts';

/** What a command said and how it ended. */
export interface CliRun {
  readonly code: ExitCode;
  readonly out: string;
  readonly err: string;
}

export interface CliOptions {
  readonly env?: Readonly<Record<string, string>>;
  /** What the person at the terminal types; without it there is none. */
  readonly answer?: string | (() => Promise<string>);
  readonly isTerminal?: boolean;
  /** What an interrupt aborts. */
  readonly signal?: AbortSignal;
  /** Called where the terminal would be cleared. */
  readonly clear?: () => void;
}

/** Runs `reattach <args>` in this process. */
export async function cli(args: readonly string[], options: CliOptions = {}): Promise<CliRun> {
  const [name, ...rest] = args;
  const command = COMMANDS.find((each) => each.name === name);
  if (!command) throw new TypeError(`Expected a command, got ${name}`);
  let [out, err] = ['', ''];
  const io: CliIo = {
    stdout: (text) => void (out += text),
    stderr: (text) => void (err += text),
    isTerminal: options.isTerminal ?? false,
    env: options.env ?? {},
    readFile: (path) => readFileSync(path, 'utf8'),
    clock: systemClock,
    signal: options.signal ?? AbortSignal.timeout(60_000),
    clear: options.clear,
    ask: async () => {
      const { answer } = options;
      return typeof answer === 'function' ? await answer() : answer;
    },
  };
  const code = await runCommand(command, rest, io);
  return { code, out, err };
}
