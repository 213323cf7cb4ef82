import type { Argument, ArrayEntry, BinaryOperator, Expression, Script, Statement } from './ast.ts';
import type { Grammar } from './grammar.ts';
import { incompleteError, syntaxError } from './script-error.ts';
import { type Token, tokenize } from './tokenizer.ts';
import { ItemId } from './value.ts';

const COMPARISONS: ReadonlySet<string> = new Set(['=', '!=', '<', '>', '<=', '>=', '~']);
const ADDITIVE: ReadonlySet<string> = new Set(['.', '+', '-']);
const MULTIPLICATIVE: ReadonlySet<string> = new Set(['*', '/']);
const OPERATOR_WORDS: ReadonlySet<string> = new Set([...ADDITIVE, ...MULTIPLICATIVE, 'and', 'or']);

/**
 * Reads a whole script; names are resolved against `grammar`.
 * @throws {ScriptError} `syntax` or `incomplete`; nothing else.
 */
export function parseScript(source: string, grammar: Grammar): Script {
  return new Parser(tokenize(source), grammar).script();
}

class Parser {
  readonly #tokens: readonly Token[];
  readonly #grammar: Grammar;
  #next = 0;
  /** The menu of the command whose arguments are being read: `find` in `/disk/remove [find]` is that of `/disk`. */
  #menu = '';

  constructor(tokens: readonly Token[], grammar: Grammar) {
    this.#tokens = tokens;
    this.#grammar = grammar;
  }

  script(): Script {
    const script = this.#statements();
    const token = this.#peek();
    if (token.kind !== 'end') throw syntaxError('expected end of command', token.at);
    return script;
  }

  /** Statements up to a closing bracket or the end, which is left to the caller. */
  #statements(): Script {
    const statements: Statement[] = [];
    for (;;) {
      while (this.#take(';')) {
        // empty statements
      }
      const token = this.#peek();
      if (token.kind === 'end' || isSymbol(token, ']') || isSymbol(token, '}')) return statements;
      statements.push(this.#statement(token));
      if (!this.#atEndOfCommand()) throw syntaxError('expected end of command', this.#peek().at);
    }
  }

  #statement(token: Token): Statement {
    if (isSymbol(token, '{')) return { kind: 'block', script: this.#block() };
    if (token.kind !== 'word') throw syntaxError('expected command name', token.at);
    if (token.text.startsWith(':')) return this.#global(token.text.slice(1), token.at);
    return this.#menuCommand();
  }

  #global(name: string, at: number): Statement {
    const grammar = this.#grammar.globalCommand(name);
    if (!grammar) throw syntaxError(`bad command name ${name}`, at + 1);
    this.#next += 1;
    const positional: Argument[] = [];
    const named = new Map<string, Argument>();
    while (!this.#atEndOfCommand()) {
      const key = this.#argumentName();
      if (key === undefined) {
        if (positional.length >= grammar.positional) throw this.#unexpected(grammar.named);
        positional.push(grammar.positionalBlock ? this.#blockArgument() : this.#valueArgument());
      } else {
        if (!grammar.named.has(key)) throw this.#unknownArgument(key);
        this.#next += 2;
        named.set(key, grammar.blocks.has(key) ? this.#blockArgument() : this.#namedValue());
      }
    }
    return { kind: 'global', name, at, positional, named };
  }

  #menuCommand(): Statement {
    const { path, verb, at } = this.#commandName();
    const grammar = this.#grammar.verb(path, verb);
    if (!grammar) throw syntaxError(`bad command name ${verb}`, at);
    const positional: Argument[] = [];
    const named = new Map<string, Argument>();
    const modes = new Set<string>();
    let where: Expression | undefined;
    const outerMenu = this.#menu;
    this.#menu = path;
    while (!this.#atEndOfCommand()) {
      const token = this.#peek();
      if (grammar.where !== 'none' && token.kind === 'word' && token.text === 'where') {
        this.#next += 1;
        where = this.#filter();
      } else if (grammar.where === 'open') {
        where = this.#filter();
      } else {
        const key = this.#argumentName();
        if (key !== undefined) {
          if (!grammar.named.has(key)) throw this.#unknownArgument(key);
          this.#next += 2;
          named.set(key, this.#namedValue());
        } else if (token.kind === 'word' && grammar.modes.has(token.text)) {
          this.#next += 1;
          modes.add(token.text);
        } else {
          if (positional.length >= grammar.positional) throw this.#unexpected(grammar.named);
          positional.push(this.#valueArgument());
        }
      }
    }
    this.#menu = outerMenu;
    return { kind: 'menu', path, verb, at, positional, named, modes, where };
  }

  /** Follows `/ip/firewall/raw/add`, `/ip firewall raw add` and mixtures down to the verb. */
  #commandName(): { path: string; verb: string; at: number } {
    let path = this.#menu;
    for (let first = true; ; first = false) {
      const token = this.#peek();
      if (token.kind !== 'word') throw syntaxError('expected command name', token.at);
      this.#next += 1;
      const rooted = token.text.startsWith('/');
      let at = token.at + (rooted ? 1 : 0);
      if (rooted && !first) throw syntaxError('expected command name', token.at);
      if (rooted) path = '';
      const parts = (rooted ? token.text.slice(1) : token.text).split('/');
      for (const [index, part] of parts.entries()) {
        if (this.#grammar.hasMenu(`${path}/${part}`)) path = `${path}/${part}`;
        else if (index === parts.length - 1 && this.#grammar.verb(path, part))
          return { path, verb: part, at };
        else
          throw parts.length > 1
            ? syntaxError('syntax error', at)
            : syntaxError(`bad command name ${part}`, at);
        at += part.length + 1;
      }
    }
  }

  /** The name when `name=` comes next. */
  #argumentName(): string | undefined {
    const token = this.#peek();
    const equals = this.#tokens[this.#next + 1];
    if (token.kind !== 'word' || !equals || !isSymbol(equals, '=') || equals.spaced) return undefined;
    return token.text;
  }

  #unknownArgument(name: string): Error {
    const { at } = this.#peek();
    if (this.#grammar.unknownArgument === 'bad parameter') return syntaxError(`bad parameter ${name}`, at);
    return syntaxError('expected end of command', at);
  }

  #unexpected(named: ReadonlySet<string>): Error {
    const token = this.#peek();
    if (token.kind === 'word' && named.has(token.text)) {
      return syntaxError('syntax error', token.at + token.text.length);
    }
    return token.kind === 'word'
      ? this.#unknownArgument(token.text)
      : syntaxError('expected end of command', token.at);
  }

  /** The value behind `name=`; nothing there is the empty string. */
  #namedValue(): Argument {
    const token = this.#peek();
    if (token.spaced || this.#atEndOfCommand())
      return { kind: 'value', value: { kind: 'literal', value: '' } };
    return this.#valueArgument();
  }

  #valueArgument(): Argument {
    return { kind: 'value', value: this.#listed() };
  }

  #blockArgument(): Argument {
    const token = this.#peek();
    if (!isSymbol(token, '{')) throw syntaxError('expected opening brace', token.at);
    return { kind: 'block', script: this.#block() };
  }

  #block(): Script {
    const open = this.#expect('{');
    const script = this.#statements();
    this.#close('}', open);
    return script;
  }

  /** Terms side by side all have to hold. */
  #filter(): Expression {
    let filter = this.#or();
    while (!this.#atEndOfCommand()) {
      filter = { kind: 'binary', operator: 'and', left: filter, right: this.#or() };
    }
    return filter;
  }

  #or(): Expression {
    let left = this.#and();
    while (this.#take('||') || this.#takeWord('or')) {
      left = { kind: 'binary', operator: 'or', left, right: this.#and() };
    }
    return left;
  }

  #and(): Expression {
    let left = this.#comparison();
    while (this.#take('&&') || this.#takeWord('and')) {
      left = { kind: 'binary', operator: 'and', left, right: this.#comparison() };
    }
    return left;
  }

  #comparison(): Expression {
    let left = this.#additive();
    for (;;) {
      const token = this.#peek();
      if (token.kind !== 'symbol' || !COMPARISONS.has(token.text)) return left;
      this.#next += 1;
      left = { kind: 'binary', operator: token.text as BinaryOperator, left, right: this.#additive() };
    }
  }

  #additive(): Expression {
    let left = this.#multiplicative();
    for (;;) {
      const operator = this.#operatorWord(ADDITIVE);
      if (operator === undefined) return left;
      left = { kind: 'binary', operator, left, right: this.#multiplicative() };
    }
  }

  #multiplicative(): Expression {
    let left = this.#unary();
    for (;;) {
      const operator = this.#operatorWord(MULTIPLICATIVE);
      if (operator === undefined) return left;
      left = { kind: 'binary', operator, left, right: this.#unary() };
    }
  }

  #operatorWord(operators: ReadonlySet<string>): BinaryOperator | undefined {
    const token = this.#peek();
    if (token.kind !== 'word' || !operators.has(token.text)) return undefined;
    this.#next += 1;
    return token.text as BinaryOperator;
  }

  #unary(): Expression {
    if (this.#take('!')) return { kind: 'not', operand: this.#unary() };
    return this.#listed();
  }

  /** `a,b,c` is an array. */
  #listed(): Expression {
    const first = this.#postfix();
    if (!isSymbol(this.#peek(), ',')) return first;
    const entries: ArrayEntry[] = [{ key: undefined, value: first }];
    while (this.#take(',')) entries.push({ key: undefined, value: this.#postfix() });
    return { kind: 'array', entries };
  }

  #postfix(): Expression {
    let target = this.#primary();
    while (this.#take('->')) target = { kind: 'element', target, index: this.#primary() };
    return target;
  }

  #primary(): Expression {
    const token = this.#peek();
    switch (token.kind) {
      case 'string':
        this.#next += 1;
        return { kind: 'string', parts: token.parts };
      case 'variable':
        this.#next += 1;
        return { kind: 'variable', name: token.name };
      case 'word':
        if (OPERATOR_WORDS.has(token.text)) throw syntaxError('syntax error', token.at);
        this.#next += 1;
        return wordExpression(token.text);
      case 'symbol':
        return this.#bracketed(token);
      case 'end':
        break;
    }
    throw incompleteError('syntax error', token.at);
  }

  #bracketed(token: Token): Expression {
    if (this.#take('[')) {
      const script = this.#statements();
      this.#close(']', token);
      return { kind: 'substitution', script };
    }
    if (this.#take('(')) {
      if (this.#take(')')) return { kind: 'literal', value: undefined };
      const expression = this.#or();
      this.#close(')', token);
      return expression;
    }
    if (this.#take('{')) return this.#array(token);
    throw syntaxError('syntax error', token.at);
  }

  /** `{a;b}` and `{"k"=a;"l"=b}`; the opening brace is taken. */
  #array(open: Token): Expression {
    const entries: ArrayEntry[] = [];
    while (!isSymbol(this.#peek(), '}') && this.#peek().kind !== 'end') {
      const first = this.#additive();
      entries.push(
        this.#take('=') ? { key: first, value: this.#additive() } : { key: undefined, value: first },
      );
      if (!this.#take(';')) break;
    }
    this.#close('}', open);
    return { kind: 'array', entries };
  }

  #close(text: string, open: Token): void {
    if (this.#take(text)) return;
    const token = this.#peek();
    if (token.kind === 'end') throw incompleteError('expected closing bracket', open.at);
    throw syntaxError('syntax error', token.at);
  }

  #expect(text: string): Token {
    const token = this.#peek();
    if (!this.#take(text)) throw syntaxError('syntax error', token.at);
    return token;
  }

  #take(text: string): boolean {
    if (!isSymbol(this.#peek(), text)) return false;
    this.#next += 1;
    return true;
  }

  #takeWord(text: string): boolean {
    const token = this.#peek();
    if (token.kind !== 'word' || token.text !== text) return false;
    this.#next += 1;
    return true;
  }

  #atEndOfCommand(): boolean {
    const token = this.#peek();
    return token.kind === 'end' || isSymbol(token, ';') || isSymbol(token, ']') || isSymbol(token, '}');
  }

  #peek(): Token {
    const token = this.#tokens[Math.min(this.#next, this.#tokens.length - 1)];
    if (!token) throw syntaxError('syntax error', 0); // a token list always ends with `end`
    return token;
  }
}

function isSymbol(token: Token, text: string): boolean {
  return token.kind === 'symbol' && token.text === text;
}

/** Numbers and item numbers are known by their looks; `true` and `false` are booleans. */
function wordExpression(text: string): Expression {
  if (/^-?\d{1,15}$/.test(text)) return { kind: 'literal', value: Number(text) };
  if (/^\*[0-9A-F]{1,8}$/i.test(text)) {
    return { kind: 'literal', value: new ItemId(Number.parseInt(text.slice(1), 16)) };
  }
  if (text === 'true' || text === 'false') return { kind: 'literal', value: text === 'true' };
  return { kind: 'word', text };
}
