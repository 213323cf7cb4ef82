/** A flag that may be given. */
export interface FlagSpec {
  readonly name: `--${string}`;
  readonly short?: `-${string}`;
  /** `required`: the next word, or the text after `=`. `optional`: only the text after `=`. `none`: no value. */
  readonly value: 'required' | 'optional' | 'none';
}

/** A flag that was given. */
export interface GivenFlag<S extends FlagSpec> {
  readonly spec: S;
  readonly value: string | undefined;
}

/** A word that cannot be understood. */
export interface FlagProblem {
  readonly kind: 'unknown-flag' | 'value-missing' | 'value-unexpected';
  /** As written, without its value. */
  readonly flag: string;
  readonly spec?: FlagSpec;
  readonly value?: string;
}

/** A command line, taken apart. */
export interface ParsedFlags<S extends FlagSpec> {
  readonly flags: readonly GivenFlag<S>[];
  readonly positionals: readonly string[];
  readonly problems: readonly FlagProblem[];
}

/**
 * Takes a command line apart: `--name value`, `--name=value`, `-n value`, `-nvalue`, `-n=value`; after `--` everything is positional.
 * A word that begins with `-` is never the value of the flag before it. Never throws: it lists every problem.
 */
export function parseFlags<S extends FlagSpec>(argv: readonly string[], specs: readonly S[]): ParsedFlags<S> {
  const flags: GivenFlag<S>[] = [];
  const positionals: string[] = [];
  const problems: FlagProblem[] = [];
  for (let index = 0; index < argv.length; index++) {
    const word = argv[index] ?? '';
    if (word === '--') {
      positionals.push(...argv.slice(index + 1));
      break;
    }
    if (!isFlag(word)) {
      positionals.push(word);
      continue;
    }
    const { name, inline } = split(word);
    const spec = specs.find((each) => each.name === name || each.short === name);
    if (!spec) {
      problems.push({ kind: 'unknown-flag', flag: name });
    } else if (spec.value === 'none' && inline !== undefined) {
      problems.push({ kind: 'value-unexpected', flag: name, spec, value: inline });
    } else if (spec.value === 'required') {
      const next = argv[index + 1];
      const value = inline ?? (next === undefined || isFlag(next) ? undefined : next);
      if (inline === undefined && value !== undefined) index++;
      if (value === undefined) problems.push({ kind: 'value-missing', flag: name, spec });
      else flags.push({ spec, value });
    } else {
      flags.push({ spec, value: inline });
    }
  }
  return { flags, positionals, problems };
}

function isFlag(word: string): boolean {
  return word.startsWith('-') && word !== '-';
}

/** `-ojson` is `-o json`; `--output=json` is `--output json`. */
function split(word: string): { readonly name: string; readonly inline: string | undefined } {
  const equals = word.indexOf('=');
  if (equals > 0) return { name: word.slice(0, equals), inline: word.slice(equals + 1) };
  if (word.startsWith('--') || word.length === 2) return { name: word, inline: undefined };
  return { name: word.slice(0, 2), inline: word.slice(2) };
}
