import { incompleteError, syntaxError } from './script-error.ts';

/** A piece of a string literal: text with its escapes resolved, or a variable to be put in. */
export type StringPart =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'variable'; readonly name: string };

interface Place {
  /** Offset in the script, from 0. */
  readonly at: number;
  /** A blank (or the start of the script) comes before. */
  readonly spaced: boolean;
}

export type Token = Place &
  (
    | { readonly kind: 'word'; readonly text: string }
    | { readonly kind: 'string'; readonly parts: readonly StringPart[] }
    | { readonly kind: 'variable'; readonly name: string }
    | { readonly kind: 'symbol'; readonly text: string }
    | { readonly kind: 'end' }
  );

const SYMBOLS = ['->', '!=', '<=', '>=', '&&', '||', ...Array.from('[](){};=~<>!,&|')];
const WORD = /[A-Za-z0-9_.*/@:+\-?%^'`\u0080-\uffff]/;
const SIMPLE_ESCAPES: Readonly<Record<string, string>> = {
  '"': '"',
  '\\': '\\',
  $: '$',
  '?': '?',
  _: ' ',
  n: '\n',
  r: '\r',
  t: '\t',
  a: '\u0007',
  b: '\b',
  f: '\f',
  v: '\v',
};

/**
 * Splits a script into tokens, the last of which is `end`. A line break is the symbol `;`.
 * @throws {ScriptError} `syntax` for a character or escape that has no meaning, `incomplete` for an open string; nothing else.
 */
export function tokenize(source: string): readonly Token[] {
  return new Tokenizer(source).run();
}

class Tokenizer {
  readonly #source: string;
  readonly #tokens: Token[] = [];
  #at = 0;

  constructor(source: string) {
    this.#source = source;
  }

  run(): readonly Token[] {
    for (;;) {
      const spaced = this.#skipBlanks() || this.#tokens.length === 0;
      const at = this.#at;
      const char = this.#source[at];
      if (char === undefined) {
        this.#tokens.push({ kind: 'end', at, spaced });
        return this.#tokens;
      }
      if (char === '#' && this.#atStatementStart()) this.#skipComment();
      else this.#tokens.push({ ...this.#token(char), at, spaced });
    }
  }

  #token(char: string): StringToken | NameToken | TextToken {
    if (char === '"') return { kind: 'string', parts: this.#string() };
    if (char === '$') return { kind: 'variable', name: this.#variable() };
    if (char === '\n') {
      this.#at += 1;
      return { kind: 'symbol', text: ';' };
    }
    const symbol = SYMBOLS.find((text) => this.#source.startsWith(text, this.#at));
    if (symbol !== undefined) {
      this.#at += symbol.length;
      return { kind: 'symbol', text: symbol };
    }
    const start = this.#at;
    while (this.#isWordChar()) this.#at += 1;
    if (this.#at === start) throw syntaxError('syntax error', start);
    return { kind: 'word', text: this.#source.slice(start, this.#at) };
  }

  /** `-` belongs to a word (`dst-port`) unless it begins an arrow. */
  #isWordChar(): boolean {
    const char = this.#source[this.#at];
    if (char === undefined || !WORD.test(char)) return false;
    return !(char === '-' && this.#source[this.#at + 1] === '>');
  }

  #skipBlanks(): boolean {
    const start = this.#at;
    for (;;) {
      const char = this.#source[this.#at];
      if (char === ' ' || char === '\t' || char === '\r') this.#at += 1;
      else if (char === '\\' && this.#source[this.#at + 1] === '\n') this.#at += 2;
      else return this.#at > start;
    }
  }

  #atStatementStart(): boolean {
    const last = this.#tokens.at(-1);
    return last === undefined || (last.kind === 'symbol' && (last.text === ';' || last.text === '{'));
  }

  #skipComment(): void {
    const end = this.#source.indexOf('\n', this.#at);
    this.#at = end === -1 ? this.#source.length : end;
  }

  /** Names without quotes are letters and digits: `$a-b` is `$a` followed by `-b`. */
  #variable(): string {
    const start = this.#at;
    this.#at += 1;
    const quoted = this.#source[this.#at] === '"';
    if (quoted) {
      const parts = this.#string();
      const [part] = parts;
      if (parts.length === 1 && part?.kind === 'text') return part.text;
      throw syntaxError('syntax error', start);
    }
    const name = /^[A-Za-z0-9]+/.exec(this.#source.slice(this.#at))?.[0];
    if (name === undefined) throw syntaxError('syntax error', start);
    this.#at += name.length;
    return name;
  }

  #string(): readonly StringPart[] {
    const start = this.#at;
    const parts: StringPart[] = [];
    let text = '';
    this.#at += 1;
    for (;;) {
      const char = this.#source[this.#at];
      if (char === undefined) throw incompleteError('expected closing quote', start);
      if (char === '"') {
        this.#at += 1;
        if (text !== '' || parts.length === 0) parts.push({ kind: 'text', text });
        return parts;
      }
      if (char === '\\') text += this.#escape();
      else if (char === '$') {
        if (text !== '') parts.push({ kind: 'text', text });
        text = '';
        parts.push({ kind: 'variable', name: this.#variable() });
      } else {
        text += char;
        this.#at += 1;
      }
    }
  }

  #escape(): string {
    const start = this.#at;
    const hex = /^\\([0-9A-F]{2})/.exec(this.#source.slice(start, start + 3))?.[1];
    if (hex !== undefined) {
      this.#at += 3;
      return String.fromCharCode(Number.parseInt(hex, 16));
    }
    const char = this.#source[start + 1];
    if (char === undefined) throw incompleteError('expected closing quote', start);
    this.#at += 2;
    if (char === '\n') return '';
    const simple = Object.hasOwn(SIMPLE_ESCAPES, char) ? SIMPLE_ESCAPES[char] : undefined;
    if (simple === undefined) throw syntaxError('invalid escape sequence', start);
    return simple;
  }
}

interface StringToken {
  readonly kind: 'string';
  readonly parts: readonly StringPart[];
}
interface NameToken {
  readonly kind: 'variable';
  readonly name: string;
}
interface TextToken {
  readonly kind: 'word' | 'symbol';
  readonly text: string;
}
