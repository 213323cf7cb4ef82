import { TemplateError } from './template-error.ts';
import { lexTemplate, type Piece, type Token } from './template-lexer.ts';

/** What an action says. */
export type Expression =
  | { readonly kind: 'literal'; readonly value: string | number | boolean }
  /** `variable` is empty for `.`, `$` for the root, else the name of a variable with its `$`. */
  | { readonly kind: 'field'; readonly variable: string; readonly path: readonly string[] }
  | { readonly kind: 'call'; readonly name: string; readonly args: readonly Expression[] };

interface Action {
  /** `file:line` */
  readonly where: string;
}

export type TemplateNode =
  | { readonly kind: 'text'; readonly text: string }
  | (Action & { readonly kind: 'print'; readonly value: Expression })
  | (Action & { readonly kind: 'assign'; readonly variable: string; readonly value: Expression })
  | (Action & {
      readonly kind: 'if' | 'with' | 'range';
      readonly value: Expression;
      readonly body: readonly TemplateNode[];
      readonly otherwise: readonly TemplateNode[];
    });

/** A parsed file: what it prints, and the templates it defines. */
export interface ParsedTemplate {
  readonly nodes: readonly TemplateNode[];
  readonly definitions: ReadonlyMap<string, readonly TemplateNode[]>;
}

/** The one method of the subset. */
export const FILES_GET = '.Files.Get';

const KEYWORDS = new Set([
  'if',
  'else',
  'with',
  'range',
  'define',
  'end',
  'block',
  'template',
  'break',
  'continue',
]);

/** Parses a template of the subset. @throws {TemplateError} for everything else. */
export function parseTemplate(source: string, file: string): ParsedTemplate {
  const parser = new Parser(lexTemplate(source, file), file);
  const nodes = parser.parseBody();
  if (parser.rest > 0) throw new TemplateError('did not expect end or else', file);
  return { nodes, definitions: parser.definitions };
}

class Parser {
  readonly definitions = new Map<string, readonly TemplateNode[]>();
  readonly #pieces: readonly Piece[];
  readonly #file: string;
  #at = 0;

  constructor(pieces: readonly Piece[], file: string) {
    this.#pieces = pieces;
    this.#file = file;
  }

  get rest(): number {
    return this.#pieces.length - this.#at;
  }

  /** Up to `end`, `else` or the end of the file, which are left. */
  parseBody(): readonly TemplateNode[] {
    const nodes: TemplateNode[] = [];
    for (let piece = this.#pieces[this.#at]; piece; piece = this.#pieces[this.#at]) {
      if (piece.kind === 'text') {
        nodes.push(piece);
        this.#at++;
        continue;
      }
      const keyword = keywordOf(piece.tokens);
      if (keyword === 'end' || keyword === 'else') break;
      this.#at++;
      const node = this.#parseAction(keyword, piece);
      if (node) nodes.push(node);
    }
    return nodes;
  }

  #parseAction(
    keyword: string | undefined,
    { tokens, where }: Extract<Piece, { kind: 'action' }>,
  ): TemplateNode | undefined {
    switch (keyword) {
      case undefined: {
        const [variable, assign] = tokens;
        if (assign?.kind !== 'symbol' || assign.text !== ':=')
          return { kind: 'print', value: parseExpression(tokens, where), where };
        if (variable?.kind !== 'field' || !/^\$\w+$/.test(variable.text))
          throw new TemplateError('expected a variable before :=', where);
        return {
          kind: 'assign',
          variable: variable.text,
          value: parseExpression(tokens.slice(2), where),
          where,
        };
      }
      case 'define': {
        const [, name] = tokens;
        if (name?.kind !== 'literal' || tokens.length !== 2)
          throw new TemplateError('expected a name after define', where);
        this.definitions.set(String(name.value), this.parseBody());
        this.#end(where);
        return undefined;
      }
      case 'if':
      case 'with':
      case 'range': {
        const value = parseExpression(tokens.slice(1), where);
        const body = this.parseBody();
        return { kind: keyword, value, body, otherwise: this.#otherwise(keyword, where), where };
      }
      default:
        throw new TemplateError(`${keyword} is not in the subset`, where);
    }
  }

  #otherwise(keyword: string, where: string): readonly TemplateNode[] {
    const piece = this.#pieces[this.#at];
    if (piece?.kind !== 'action' || keywordOf(piece.tokens) !== 'else') {
      this.#end(where);
      return [];
    }
    this.#at++;
    if (piece.tokens.length === 1) {
      const body = this.parseBody();
      this.#end(where);
      return body;
    }
    const next = keywordOf(piece.tokens.slice(1));
    if (keyword !== 'if' || next !== 'if') throw new TemplateError('expected else or else if', piece.where);
    const node = this.#parseAction('if', { ...piece, tokens: piece.tokens.slice(1) });
    return node ? [node] : [];
  }

  #end(where: string): void {
    const piece = this.#pieces[this.#at++];
    if (piece?.kind !== 'action' || keywordOf(piece.tokens) !== 'end' || piece.tokens.length !== 1)
      throw new TemplateError(`expected an end in ${this.#file}`, where);
  }
}

function keywordOf([first]: readonly Token[]): string | undefined {
  return first?.kind === 'word' && KEYWORDS.has(first.text) ? first.text : undefined;
}

/** `a b | c d` is `c d (a b)`. */
function parseExpression(tokens: readonly Token[], where: string): Expression {
  let at = 0;
  const isSymbol = (text: string): boolean => {
    const token = tokens[at];
    return token?.kind === 'symbol' && token.text === text;
  };
  const parsePipeline = (): Expression => {
    let value = parseCommand(undefined);
    while (isSymbol('|')) {
      at++;
      value = parseCommand(value);
    }
    return value;
  };
  const parseCommand = (piped: Expression | undefined): Expression => {
    const name = tokens[at];
    if (name?.kind === 'word') {
      at++;
      const args: Expression[] = [];
      while (at < tokens.length && !isSymbol('|') && !isSymbol(')')) args.push(parseOperand());
      return { kind: 'call', name: name.text, args: piped ? [...args, piped] : args };
    }
    if (piped) throw new TemplateError('expected a function after |', where);
    const operand = parseOperand();
    if (name?.kind !== 'field' || name.text !== FILES_GET) return operand;
    return { kind: 'call', name: FILES_GET, args: [parseOperand()] };
  };
  const parseOperand = (): Expression => {
    const token = tokens[at++];
    if (token?.kind === 'literal') return token;
    if (token?.kind === 'field') return toField(token.text);
    if (token?.kind === 'word') return { kind: 'call', name: token.text, args: [] };
    if (token?.text !== '(')
      throw new TemplateError(`expected a value, got ${token?.text ?? 'nothing'}`, where);
    const value = parsePipeline();
    if (!isSymbol(')')) throw new TemplateError('expected )', where);
    at++;
    return value;
  };
  const value = parsePipeline();
  if (at < tokens.length) throw new TemplateError('expected one value', where);
  return value;
}

function toField(text: string): Expression {
  const [variable = '', ...path] = text.split('.');
  return { kind: 'field', variable, path: path.filter((name) => name !== '') };
}
