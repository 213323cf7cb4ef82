import { ALL_OPTIONS } from './all-options.ts';
import { ConfigError, type ConfigProblem } from './config-error.ts';
import { ExposedFileError } from './exposed-file-error.ts';
import type { Option, OptionTable } from './option.ts';
import type { OptionKey, OptionValues } from './option-table.ts';
import type { RawValue } from './option-type.ts';
import type { RawOption } from './raw-option.ts';

/** Longest value quoted in a message. */
const QUOTED_CHARACTERS = 60;

/**
 * Reads a text file. @param ownerOnly whether it holds a secret
 * @throws {ExposedFileError} when `ownerOnly` is set and every user can read it, another error when it cannot be read
 */
export type ReadFile = (path: string, ownerOnly?: boolean) => string;

/** The options of all sources, and the problems found in them. */
export class Values {
  readonly table: OptionTable;
  readonly #readFile: ReadFile;
  readonly #problems: ConfigProblem[];
  /** By key, most important source first. */
  readonly #given: Map<string, readonly RawOption[]>;

  constructor(readFile: ReadFile, table: OptionTable = ALL_OPTIONS, outer?: Values) {
    this.#readFile = readFile;
    this.table = table;
    this.#problems = outer ? outer.#problems : [];
    this.#given = new Map(outer ? outer.#given : []);
  }

  /** Takes the options of one more source, less important than those before. */
  add(options: readonly RawOption[]): void {
    for (const option of options) this.#given.set(option.key, [...this.given(option.key), option]);
  }

  /** These values with some replaced; problems are shared. @param without keys that count as not given. */
  with(options: readonly RawOption[], without: readonly string[]): Values {
    const inner = new Values(this.#readFile, this.table, this);
    for (const key of without) inner.#given.delete(key);
    for (const option of options) inner.#given.set(option.key, [option]);
    return inner;
  }

  /** What the sources hold for this key, most important first. */
  given(key: string): readonly RawOption[] {
    return this.#given.get(key) ?? [];
  }

  /** The value of the most important source, else the default; `undefined` also when it is not of the option's type. */
  get<K extends OptionKey>(key: K): OptionValues[K] | undefined {
    return this.find(key) as OptionValues[K] | undefined;
  }

  /** As `get`, for a key that is not known in advance. */
  find(key: string): unknown {
    const option = this.option(key);
    const [given] = this.given(key);
    return given ? option.type.parse(given.raw) : option.default;
  }

  /** @throws {TypeError} without a value, which the checks exclude. */
  must<K extends OptionKey>(key: K): OptionValues[K] {
    const value = this.get(key);
    if (value === undefined) throw new TypeError(`Option ${key} passed the checks without a value`);
    return value;
  }

  option(key: string): Option {
    const option = this.table.get(key);
    if (!option) throw new TypeError(`There is no option ${key}`);
    return option;
  }

  /** The content of the file an option names; a file that cannot be read, or is empty, is a problem. */
  contentOf(key: string): string | undefined {
    const file = this.find(key);
    const [given] = this.given(key);
    if (typeof file !== 'string' || !given) return undefined;
    try {
      const content = this.#readFile(file, this.option(key).ownerOnly);
      if (content.trim() !== '') return content;
      this.refuse(given, 'a file that is not empty');
    } catch (err) {
      if (err instanceof ExposedFileError) {
        this.refuse(given, err.message);
        return undefined;
      }
      const why = err instanceof Error && 'code' in err ? ` (${String(err.code)})` : '';
      this.refuse(given, `a file that can be read${why}`);
    }
    return undefined;
  }

  report(...problems: readonly ConfigProblem[]): void {
    this.#problems.push(...problems);
  }

  refuse({ key, raw, source }: Pick<RawOption, 'key' | 'raw'> & Partial<RawOption>, expected: string): void {
    const value = this.option(key).secret ? undefined : quote(raw);
    this.report({ key, source, value, expected });
  }

  /** @throws {ConfigError} with every problem found. */
  throwProblems(): void {
    if (this.#problems.length > 0) throw new ConfigError(this.#problems);
  }
}

/** Quotes a value for a message: shortened, and never a key that was pasted in place of its path. */
function quote(raw: RawValue): string | undefined {
  const value = String(raw);
  if (value.includes('PRIVATE KEY')) return undefined;
  return JSON.stringify(value.length > QUOTED_CHARACTERS ? `${value.slice(0, QUOTED_CHARACTERS)}...` : value);
}
