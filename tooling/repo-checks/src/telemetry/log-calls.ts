import { bracketed, keysOf, parts } from './object-keys.ts';
import type { Source } from './sources.ts';

/** A line the controller can log. */
export interface LogCall {
  readonly message: string;
  /** `varies`: the first of a row is a warning, the rest are `debug`, or as the line says. */
  readonly level: string;
  readonly keys: readonly string[];
}

const CALL = /\blogger(?:\.(debug|info|warn|error)|\[level\])(\()/gi;

/**
 * Every call of a logger in a file. Its fields may come from a function of a file beside it.
 * @throws {TypeError} for one that cannot be read
 */
export function logCallsIn({ path, text }: Source, sources: readonly Source[]): readonly LogCall[] {
  const folder = path.slice(0, path.lastIndexOf('/'));
  const imported = new Set([...text.matchAll(/from '\.(\/[\w-]+\.ts)'/g)].map(([, name]) => folder + name));
  const imports = sources.filter((each) => imported.has(each.path)).map((each) => each.text);
  const searched = [text, ...imports].join('\n');
  return [...text.matchAll(CALL)].flatMap((match): LogCall[] => {
    const [, level = 'varies', bracket = ''] = match;
    const open = match.index + match[0].length - bracket.length;
    const [message = '', fields] = parts(bracketed(text, open));
    const before = text.slice(0, match.index);
    try {
      const keys = fields === undefined ? [] : keysOf(fields, searched, before);
      return messagesOf(message, before, text).map((each) => ({ message: each, level, keys }));
    } catch (cause) {
      throw new TypeError(`${path}: ${match[0]}${message}`, { cause });
    }
  });
}

/** A literal; or those of the constant, or of the calls of the method with the parameter, that the expression names. */
function messagesOf(expression: string, before: string, file: string): readonly string[] {
  const literal = /^'([^']+)'$/.exec(expression)?.[1];
  if (literal !== undefined) return [literal];
  const method = [...before.matchAll(/ {2}(#\w+)\((\w+): string/g)].findLast(
    ([, , name]) => name === expression,
  );
  if (method) {
    const calls = file.matchAll(new RegExp(`this\\.${method[1]}\\('([^']+)'`, 'g'));
    return [...calls].map(([, message = '']) => message);
  }
  const declared = before.lastIndexOf(`const ${expression} =`);
  const found = before.slice(declared).match(/'[A-Z][^']+'/g) ?? [];
  if (declared < 0 || found.length === 0)
    throw new TypeError(`Expected a constant message, got ${expression}`);
  return found.map((quoted) => quoted.slice(1, -1));
}

/** One row for each message, keys and levels of all its calls together. */
export function logTable(calls: readonly LogCall[]): string {
  const rows = [...Map.groupBy(calls, ({ message }) => message)].map(([message, same]) => {
    const levels = [...new Set(same.map(({ level }) => level))].toSorted(byRank);
    const keys = [...new Set(same.flatMap((call) => call.keys))].toSorted((a, b) => a.localeCompare(b, 'en'));
    return {
      levels,
      row: `| ${levels.join(', ')} | ${message} | ${keys.map((key) => `\`${key}\``).join(' ')} |`,
    };
  });
  const sorted = rows.toSorted(
    (a, b) => byRank(a.levels[0] ?? '', b.levels[0] ?? '') || a.row.localeCompare(b.row, 'en'),
  );
  return ['| Level | Message | Keys |', '|---|---|---|', ...sorted.map(({ row }) => row)].join('\n');
}

const RANKS = ['error', 'warn', 'varies', 'info', 'debug'];

function byRank(a: string, b: string): number {
  return RANKS.indexOf(a) - RANKS.indexOf(b);
}
