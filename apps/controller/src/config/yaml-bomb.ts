import { Lexer } from 'yaml';

/** Room for 100 backends. A larger file takes the parser seconds. */
const MAX_BYTES = 65_536;
/** Levels of flow collections, and of `- - -` on one line; the options need four. */
const MAX_DEPTH = 20;
/** Columns of indentation, each of which may be a level. */
const MAX_INDENT = 200;

/** What makes a text dangerous for the YAML parser. */
export interface YamlBomb {
  readonly line?: number;
  readonly expected: string;
}

/**
 * Finds what the parser cannot bear: it recurses, and a thousand `[` abort the process with no exception to catch.
 * The lexer does not recurse.
 */
export function yamlBombIn(content: string): YamlBomb | undefined {
  if (Buffer.byteLength(content) > MAX_BYTES)
    return { expected: `a file of at most ${MAX_BYTES / 1_024} KiB` };
  let line = 1;
  let depth = 0;
  let inARow = 0;
  let isLineStart = true;
  for (const token of new Lexer().lex(content)) {
    if (token === '[' || token === '{') depth++;
    else if (token === ']' || token === '}') depth--;
    else if (token === '-' || token === '?') inARow++;
    else if (token.includes('\n')) inARow = 0;
    const indent = isLineStart && /^[ \t]*$/.test(token) ? token.length : 0;
    if (depth < 0) return { line, expected: 'YAML: a bracket closes nothing' };
    if (depth > MAX_DEPTH || inARow > MAX_DEPTH || indent > MAX_INDENT) {
      return { line, expected: `YAML of at most ${MAX_DEPTH} levels` };
    }
    const newlines = token.split('\n').length - 1;
    line += newlines;
    isLineStart = newlines > 0 || (isLineStart && token.charCodeAt(0) < 0x20);
  }
  return undefined;
}
