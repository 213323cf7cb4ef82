import { parseArgs } from 'node:util';
import { parseDocument } from 'yaml';
import type { ConfigProblem } from './config-error.ts';
import {
  environmentVariableOf,
  flagOf,
  isOptionKey,
  OPTION_KEYS,
  OPTIONS,
  type OptionKey,
} from './config-options.ts';
import { flag, type RawValue } from './option-type.ts';

/** A value somebody gave, not yet parsed. */
export interface Given {
  readonly key: OptionKey;
  readonly raw: RawValue;
  /** As the operator knows it: the flag, the environment variable, or the path of the file. */
  readonly source: string;
}

/** What one source says, and what in it cannot be understood. */
export interface SourceReading {
  readonly given: readonly Given[];
  readonly problems: readonly ConfigProblem[];
  /** Only a file can list several backends. */
  readonly backends?: readonly GivenBackend[];
}

/** One entry of `backends`: what it says in place of the `rds.` options. */
export interface GivenBackend {
  /** Absent: the host of its address. */
  readonly name?: string;
  readonly given: readonly Given[];
}

const ENVIRONMENT_PREFIX = 'REATTACH_';
/** Kubernetes describes Services named `reattach...` to every pod of the namespace in variables of these forms. */
const SERVICE_LINK =
  /_(?:SERVICE_HOST|SERVICE_PORT(?:_[A-Z0-9_]+)?|PORT(?:_\d+_(?:TCP|UDP|SCTP)(?:_(?:PROTO|PORT|ADDR))?)?)$/;

/** Reads `--flag value` and `--flag=value`; a boolean flag may stand alone. A repeated flag: the last one counts. */
export function readFlags(argv: readonly string[]): SourceReading {
  const byFlag = new Map<string, OptionKey>(OPTION_KEYS.map((key) => [flagOf(key), key]));
  // Not strict, which stops at the first problem; and without options, so that no flag swallows the next one as its value.
  const { tokens } = parseArgs({ args: [...argv], strict: false, tokens: true });
  const given = new Map<OptionKey, Given>();
  const problems: ConfigProblem[] = [];
  let open: { readonly key: OptionKey; readonly source: string } | undefined; // a flag whose value comes next
  const close = () => {
    if (!open) return;
    const { key, source } = open;
    if (isFlag(key)) given.set(key, { key, raw: true, source });
    else problems.push({ key, source, expected: `a value: ${OPTIONS[key].type.expected}` });
    open = undefined;
  };
  for (const token of tokens) {
    if (token.kind === 'positional') {
      if (open && !isFlag(open.key)) {
        given.set(open.key, { ...open, raw: token.value });
        open = undefined;
      } else problems.push({ key: token.value, expected: 'flags only' });
      continue;
    }
    close();
    if (token.kind === 'option-terminator') continue;
    const source = token.rawName;
    const key = byFlag.get(source);
    if (key === undefined) problems.push({ key: source, expected: 'a known flag (see --help)' });
    else if (token.value === undefined) open = { key, source };
    else given.set(key, { key, raw: token.value, source });
  }
  close();
  return { given: [...given.values()], problems };
}

/** Reads the `REATTACH_` variables. */
export function readEnvironment(env: Readonly<Record<string, string | undefined>>): SourceReading {
  const byVariable = new Map<string, OptionKey>(OPTION_KEYS.map((key) => [environmentVariableOf(key), key]));
  const given: Given[] = [];
  const problems: ConfigProblem[] = [];
  for (const [name, raw] of Object.entries(env)) {
    if (raw === undefined || !name.startsWith(ENVIRONMENT_PREFIX)) continue;
    const key = byVariable.get(name);
    if (key !== undefined) given.push({ key, raw, source: name });
    else if (!SERVICE_LINK.test(name)) {
      problems.push({ key: name, expected: 'a known environment variable (see --help)' });
    }
  }
  return { given, problems };
}

/** Reads a YAML map, nested by the dots of the keys. Quotes nothing of the file in its problems. */
export function readYaml(content: string, file: string): SourceReading {
  const document = parseDocument(content, { prettyErrors: false }); // pretty errors quote the file
  const malformed = (expected: string): SourceReading => ({
    given: [],
    problems: [{ key: 'config', source: file, expected }],
  });
  if (document.errors.length > 0) {
    return malformed(
      `YAML (${document.errors.map(({ code, pos }) => `${code} at character ${pos[0]}`).join(', ')})`,
    );
  }
  const root: unknown = document.toJS();
  if (root === null) return { given: [], problems: [] };
  if (!isMap(root)) return malformed('a YAML map of options');
  const { [BACKENDS]: list, ...options } = root;
  const reading = readMap(options, '', file);
  return list === undefined ? reading : withBackends(reading, list, file);
}

/** Key of the file's list of backends. */
const BACKENDS = 'backends';

function withBackends({ given, problems }: SourceReading, list: unknown, file: string): SourceReading {
  if (!Array.isArray(list) || list.length === 0 || !list.every(isMap)) {
    const problem = {
      key: BACKENDS,
      source: file,
      expected: 'a list of backends, each a map of options without `rds.`',
    };
    return { given, problems: [...problems, problem] };
  }
  const readings = list.map((entry, index) => readBackend(entry, `${file}, ${BACKENDS}[${index}]`));
  return {
    given,
    problems: [...problems, ...readings.flatMap((reading) => reading.problems)],
    backends: readings.map(({ backend }) => backend),
  };
}

function readBackend(
  { name, ...options }: Readonly<Record<string, unknown>>,
  source: string,
): { readonly backend: GivenBackend; readonly problems: readonly ConfigProblem[] } {
  const { given, problems } = readMap(options, 'rds.', source);
  if (name === undefined) return { backend: { given }, problems };
  if (typeof name === 'string' && name.trim() !== '')
    return { backend: { name: name.trim(), given }, problems };
  return {
    backend: { given },
    problems: [...problems, { key: 'name', source, expected: 'text that is not empty' }],
  };
}

function readMap(map: Readonly<Record<string, unknown>>, prefix: string, file: string): SourceReading {
  const given: Given[] = [];
  const problems: ConfigProblem[] = [];
  for (const [name, value] of Object.entries(map)) {
    const key = `${prefix}${name}`;
    if (isOptionKey(key) && key !== 'config') {
      if (isScalar(value)) given.push({ key, raw: value, source: file });
      else problems.push({ key, source: file, expected: OPTIONS[key].type.expected });
    } else if (isMap(value) && OPTION_KEYS.some((option) => option.startsWith(`${key}.`))) {
      const nested = readMap(value, `${key}.`, file);
      given.push(...nested.given);
      problems.push(...nested.problems);
    } else {
      problems.push({ key, source: file, expected: 'a known key (see --help)' });
    }
  }
  return { given, problems };
}

function isFlag(key: OptionKey): boolean {
  return OPTIONS[key].type === flag;
}

function isMap(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isScalar(value: unknown): value is RawValue {
  return typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean';
}
