import { isAlias, isMap, isScalar, isSeq, LineCounter, type Node, parseDocument, type YAMLMap } from 'yaml';
import type { ConfigProblem } from './config-error.ts';
import { didYouMean } from './did-you-mean.ts';
import type { Option, OptionTable } from './option.ts';
import type { RawValue } from './option-type.ts';
import type { RawBackend, RawOption, SourceReading } from './raw-option.ts';
import { yamlBombIn } from './yaml-bomb.ts';

/** Key of the list of backends. */
const BACKENDS = 'backends';

/**
 * Reads a YAML map, nested by the dots of the keys. Quotes nothing of a file that is not YAML, because it may be a private key.
 * It follows an alias only where the table expects a value, so aliases cannot multiply.
 * @param kinds of backends.
 */
export function readYaml(
  content: string,
  file: string,
  table: OptionTable,
  kinds: readonly string[],
): SourceReading {
  const refused = (line: number | undefined, expected: string): SourceReading => ({
    options: [],
    problems: [{ key: 'config', source: line === undefined ? file : `${file}:${line}`, expected }],
  });
  const bomb = yamlBombIn(content);
  if (bomb) return refused(bomb.line, bomb.expected);
  const lineCounter = new LineCounter();
  const document = parseDocument(content, {
    prettyErrors: false, // they quote the file
    uniqueKeys: false, // checked here: the library compares every pair
    logLevel: 'error',
    lineCounter,
  });
  const [error] = document.errors;
  if (error) return refused(lineCounter.linePos(error.pos[0]).line, `YAML (${error.code})`);
  const root = document.contents;
  if (root === null || (isScalar(root) && root.value === null)) return { options: [], problems: [] };
  if (!isMap(root)) return refused(undefined, 'a YAML map of options');
  const sourceOf = (node: unknown) => {
    const range = (node as Node | null)?.range;
    return range ? `${file}:${lineCounter.linePos(range[0]).line}` : file;
  };
  const resolve = (node: unknown) => (isAlias(node) ? node.resolve(document) : node);
  return new MapReader({ table, kinds, sourceOf, resolve }).read(root);
}

interface Entry {
  readonly name: string;
  readonly node: unknown;
  readonly source: string;
}

interface MapReaderOptions {
  readonly table: OptionTable;
  readonly kinds: readonly string[];
  /** File and line. */
  readonly sourceOf: (node: unknown) => string;
  /** The node that an alias refers to. */
  readonly resolve: (node: unknown) => unknown;
}

class MapReader {
  readonly #with: MapReaderOptions;
  readonly #problems: ConfigProblem[] = [];

  constructor(options: MapReaderOptions) {
    this.#with = options;
  }

  read(root: YAMLMap): SourceReading {
    const entries = this.#entriesOf(root);
    const list = entries.find(({ name }) => name === BACKENDS);
    const options = this.#readEntries(
      entries.filter((entry) => entry !== list),
      '',
    );
    const backends = list && this.#readBackends(list);
    return { options, backends, problems: this.#problems };
  }

  #readEntries(entries: readonly Entry[], prefix: string): RawOption[] {
    const { table } = this.#with;
    return entries.flatMap((entry): readonly RawOption[] => {
      const key = `${prefix}${entry.name}`;
      const option = key === 'config' ? undefined : table.get(key);
      if (option) return this.#readOption(key, option, entry);
      const isGroup = [...table.keys()].some((known) => known.startsWith(`${key}.`));
      if (isGroup && isMap(entry.node)) return this.#readEntries(this.#entriesOf(entry.node), `${key}.`);
      this.#unknown(key, entry.source);
      return [];
    });
  }

  #readOption(key: string, { type }: Option, { node, source }: Entry): readonly RawOption[] {
    const raw = scalarOf(node);
    if (raw !== undefined) return [{ key, raw, source }];
    this.#problems.push({ key, source, expected: type.expected });
    return [];
  }

  #readBackends({ node, source }: Entry): readonly RawBackend[] {
    const entries = isSeq(node) ? node.items.map(this.#with.resolve) : [];
    if (entries.length > 0 && entries.every((entry) => isMap(entry))) {
      return entries.map((entry) => this.#readBackend(entry));
    }
    const expected = 'a list of backends, each a map with kind, name and the options of that kind';
    this.#problems.push({ key: BACKENDS, source, expected });
    return [];
  }

  #readBackend(map: YAMLMap): RawBackend {
    const { kinds, sourceOf } = this.#with;
    const entries = this.#entriesOf(map);
    const given = entries.find(({ name }) => name === 'kind');
    const kind = given ? kinds.find((each) => each === scalarOf(given.node)) : kinds[0];
    const rest = entries.filter(({ name }) => name !== 'kind' && name !== 'name');
    const source = sourceOf(map);
    if (given && kind === undefined) {
      this.#problems.push({ key: `${BACKENDS}.kind`, source: given.source, expected: kinds.join(' or ') });
      return { options: [], source };
    }
    const name = this.#nameOf(entries);
    return { kind, name, source, options: this.#readEntries(rest, `${kind}.`) };
  }

  #nameOf(entries: readonly Entry[]): string | undefined {
    const entry = entries.find(({ name }) => name === 'name');
    const value = entry && scalarOf(entry.node);
    if (!entry || (typeof value === 'string' && value.trim() !== '')) return value?.toString().trim();
    this.#problems.push({
      key: `${BACKENDS}.name`,
      source: entry.source,
      expected: 'text that is not empty',
    });
    return undefined;
  }

  #unknown(key: string, source: string): void {
    const hint = didYouMean(key, [...this.#with.table.keys(), BACKENDS]);
    this.#problems.push({ key, source, expected: `a known key (see --help)${hint}` });
  }

  #entriesOf(map: YAMLMap): readonly Entry[] {
    const { sourceOf, resolve } = this.#with;
    const entries = new Map<string, Entry>();
    for (const { key, value } of map.items) {
      const name = isScalar(key) ? String(key.value) : '';
      const source = sourceOf(key);
      if (!entries.has(name)) entries.set(name, { name, node: resolve(value), source });
      else this.#problems.push({ key: name, source, expected: 'each key once in a map' });
    }
    return [...entries.values()];
  }
}

function scalarOf(node: unknown): RawValue | undefined {
  const value = isScalar(node) ? node.value : undefined;
  return typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean'
    ? value
    : undefined;
}
