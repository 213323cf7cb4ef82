import { ConfigError } from '../config/config-error.ts';
import { EXIT, type ExitCode } from '../exit-code.ts';
import { CliError } from './cli-error.ts';
import type { CliIo } from './cli-io.ts';
import type { Command } from './command.ts';
import { commandHelp } from './help.ts';
import { parseCall } from './parse-call.ts';

/** Runs one command. What it fails with is said in one place, without a stack. */
export async function runCommand(command: Command, argv: readonly string[], io: CliIo): Promise<ExitCode> {
  if (argv.includes('--help') || argv.includes('-h')) {
    io.stdout(commandHelp(command));
    return EXIT.ok;
  }
  try {
    return await command.run(parseCall(command, argv), io);
  } catch (err) {
    if (err === io.signal.reason && io.signal.aborted) io.stderr('Interrupted\n');
    else io.stderr(`${err instanceof Error ? err.message : String(err)}\n`);
    if (err instanceof ConfigError) return EXIT.usage;
    if (!(err instanceof CliError)) return EXIT.failed;
    if (err.exitCode === EXIT.usage) io.stderr(`See reattach ${command.name} --help\n`);
    return err.exitCode;
  }
}
