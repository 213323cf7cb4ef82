import type { ConfigProblem } from './config-error.ts';
import { didYouMean } from './did-you-mean.ts';
import { flagOf, type OptionTable } from './option.ts';
import { boolean } from './option-type.ts';
import { type FlagProblem, type FlagSpec, parseFlags } from './parse-flags.ts';
import type { RawOption, SourceReading } from './raw-option.ts';

/** A flag that sets an option. */
export interface OptionFlag extends FlagSpec {
  readonly key: string;
}

/** The flags of all options. A boolean flag may stand alone. */
export function optionFlags(table: OptionTable): readonly OptionFlag[] {
  return [...table].map(([key, { type }]) => ({
    key,
    name: flagOf(key),
    value: type === boolean ? 'optional' : 'required',
  }));
}

/** Reads `--flag value` and `--flag=value`. Of a repeated flag the last one counts. */
export function readFlags(argv: readonly string[], table: OptionTable): SourceReading {
  const specs = optionFlags(table);
  const { flags, positionals, problems } = parseFlags(argv, specs);
  const options = new Map<string, RawOption>();
  for (const { spec, value } of flags) {
    options.set(spec.key, { key: spec.key, raw: value ?? true, source: spec.name });
  }
  const known = specs.map(({ name }) => name);
  return {
    options: [...options.values()],
    problems: [
      ...problems.map((problem) => flagProblem(problem, specs, table, known)),
      ...positionals.map((word): ConfigProblem => ({ key: word, expected: 'flags only' })),
    ],
  };
}

function flagProblem(
  { kind, flag }: FlagProblem,
  specs: readonly OptionFlag[],
  table: OptionTable,
  known: readonly string[],
): ConfigProblem {
  const key = specs.find(({ name }) => name === flag)?.key;
  const option = key === undefined ? undefined : table.get(key);
  if (kind !== 'value-missing' || key === undefined || !option) {
    return { key: flag, expected: `a known flag (see --help)${didYouMean(flag, known)}` };
  }
  return { key, source: flag, expected: `a value: ${option.type.expected}` };
}
