import { flagOf, OPTION_KEYS, OPTIONS } from '../config/config-options.ts';
import { flag as booleanType } from '../config/option-type.ts';
import { usageError } from './cli-error.ts';
import type { Call, Command, CommandFlag } from './command.ts';

/** Flags of the configuration that are followed by a value. */
const CONFIG_FLAGS: ReadonlyMap<string, boolean> = new Map(
  OPTION_KEYS.map((key) => [flagOf(key), OPTIONS[key].type !== booleanType]),
);

/** Takes a command line apart. @throws {CliError} naming what was expected. */
export function parseCall(command: Command, argv: readonly string[]): Call {
  const args: string[] = [];
  const flags = new Map<string, string | true>();
  const configArgv: string[] = [];
  const rest = [...argv];
  for (let token = rest.shift(); token !== undefined; token = rest.shift()) {
    if (token === '--') {
      args.push(...rest.splice(0));
      break;
    }
    if (!token.startsWith('-') || token === '-') {
      args.push(token);
      continue;
    }
    const equals = token.indexOf('=');
    const name = equals < 0 ? token : token.slice(0, equals);
    const inline = equals < 0 ? undefined : token.slice(equals + 1);
    const own = command.flags.find((flag) => flag.name === name || flag.short === name);
    if (own)
      flags.set(own.name, own.value === undefined ? bare(own, inline) : valueOf(own, inline ?? rest.shift()));
    else if (CONFIG_FLAGS.has(name)) {
      configArgv.push(token);
      const value = inline === undefined && CONFIG_FLAGS.get(name) === true ? rest.shift() : undefined;
      if (value !== undefined) configArgv.push(value);
    } else throw usageError(`Expected a flag that ${command.name} knows, got ${name}`);
  }
  const [missing] = command.args.slice(args.length);
  if (missing !== undefined)
    throw usageError(`Expected ${missing} after ${['reattach', command.name, ...args].join(' ')}`);
  const [extra] = args.slice(command.args.length);
  if (extra !== undefined) {
    const expected = command.args.length === 0 ? 'no arguments' : `only ${command.args.join(' ')}`;
    throw usageError(`Expected ${expected} after ${command.name}, got ${JSON.stringify(extra)}`);
  }
  return { args, flags, configArgv };
}

function bare({ name }: CommandFlag, value: string | undefined): true {
  if (value === undefined) return true;
  throw usageError(`Expected ${name} without a value, got ${JSON.stringify(value)}`);
}

function valueOf({ name, choices, value: label }: CommandFlag, value: string | undefined): string {
  const expected = choices ? choices.join(', ').replace(/, ([^,]*)$/, ' or $1') : `a ${label}`;
  if (value === undefined || value === '') throw usageError(`Expected ${expected} after ${name}`);
  if (!choices || choices.includes(value)) return value;
  throw usageError(`Expected ${expected} after ${name}, got ${JSON.stringify(value)}`);
}
