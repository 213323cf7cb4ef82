import { EXIT, type ExitCode } from '../exit-code.ts';

/** Ends a command with a message and nothing else: what it says is all there is to know. */
export class CliError extends Error {
  readonly exitCode: ExitCode;

  constructor(message: string, exitCode: ExitCode = EXIT.failed) {
    super(message);
    this.name = 'CliError';
    this.exitCode = exitCode;
  }
}

/** The command line is not understood: says what was expected. */
export function usageError(message: string): CliError {
  return new CliError(message, EXIT.usage);
}
