import { ALL_OPTIONS } from '../config/all-options.ts';
import { didYouMean } from '../config/did-you-mean.ts';
import { type FlagProblem, type FlagSpec, type GivenFlag, parseFlags } from '../config/parse-flags.ts';
import { type OptionFlag, optionFlags } from '../config/read-flags.ts';
import { type CliError, usageError } from './cli-error.ts';
import type { Call, Command, CommandFlag } from './command.ts';

/** A flag of the command itself. */
interface OwnFlag extends FlagSpec {
  readonly own: CommandFlag;
}

type AnyFlag = OwnFlag | OptionFlag;

/** Takes the command line of a command apart. @throws {CliError} that names what was expected. */
export function parseCall(command: Command, argv: readonly string[]): Call {
  const specs: readonly AnyFlag[] = [...command.flags.map(ownFlag), ...optionFlags(ALL_OPTIONS)];
  const { flags: given, positionals: args, problems } = parseFlags(argv, specs);
  const [problem] = problems;
  if (problem) throw flagError(problem, command, specs);
  checkArgs(command, args);
  const flags = new Map<string, string | true>();
  const configArgv: string[] = [];
  for (const flag of given) {
    if (isOwn(flag)) flags.set(flag.spec.own.name, valueOf(flag));
    else configArgv.push(flag.value === undefined ? flag.spec.name : `${flag.spec.name}=${flag.value}`);
  }
  return { args, flags, configArgv };
}

function ownFlag(own: CommandFlag): OwnFlag {
  const { name, short, value } = own;
  return { name, short, value: value === undefined ? 'none' : 'required', own };
}

function isOwn(flag: GivenFlag<AnyFlag>): flag is GivenFlag<OwnFlag> {
  return 'own' in flag.spec;
}

function valueOf({ spec: { own }, value }: GivenFlag<OwnFlag>): string | true {
  if (own.value === undefined) return true;
  if (value === undefined || value === '') throw usageError(`Expected ${expectedOf(own)} after ${own.name}`);
  if (!own.choices || own.choices.includes(value)) return value;
  const hint = didYouMean(value, own.choices);
  throw usageError(`Expected ${expectedOf(own)} after ${own.name}, got ${JSON.stringify(value)}${hint}`);
}

function expectedOf({ choices, value }: CommandFlag): string {
  return choices ? choices.join(', ').replace(/, ([^,]*)$/, ' or $1') : `a ${value}`;
}

function flagError(
  { kind, flag, value }: FlagProblem,
  { name }: Command,
  specs: readonly AnyFlag[],
): CliError {
  const spec = specs.find((each) => each.name === flag || each.short === flag);
  if (kind === 'value-unexpected') {
    return usageError(`Expected ${flag} without a value, got ${JSON.stringify(value)}`);
  }
  if (kind === 'value-missing' && spec) {
    const expected = 'own' in spec ? expectedOf(spec.own) : ALL_OPTIONS.get(spec.key)?.type.expected;
    return usageError(`Expected ${expected} after ${spec.name}`);
  }
  const hint = didYouMean(
    flag,
    specs.map((each) => each.name),
  );
  return usageError(`Expected a flag that ${name} knows, got ${flag}${hint}`);
}

/** Arguments in square brackets may be left out. */
function checkArgs({ name, args: wanted }: Command, args: readonly string[]): void {
  const missing = wanted.slice(args.length).find((each) => !each.startsWith('['));
  if (missing !== undefined)
    throw usageError(`Expected ${missing} after ${['reattach', name, ...args].join(' ')}`);
  const [extra] = args.slice(wanted.length);
  if (extra === undefined) return;
  const expected = wanted.length === 0 ? 'no arguments' : `only ${wanted.join(' ')}`;
  throw usageError(`Expected ${expected} after ${name}, got ${JSON.stringify(extra)}`);
}
