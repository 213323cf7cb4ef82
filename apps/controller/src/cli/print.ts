import { stringify } from 'yaml';
import { EXIT, type ExitCode } from '../exit-code.ts';
import type { CliIo } from './cli-io.ts';
import type { Call } from './command.ts';
import { type Style, styleFor } from './style.ts';

/** Prints a value as `--output` says. */
export function print(call: Call, io: CliIo, value: object, table: (style: Style) => string): ExitCode {
  const format = call.flags.get('--output') ?? 'table';
  if (format === 'json') io.stdout(`${JSON.stringify(value, undefined, 2)}\n`);
  else if (format === 'yaml') io.stdout(stringify(value));
  else io.stdout(table(styleFor(io)));
  return EXIT.ok;
}
