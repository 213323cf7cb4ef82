import type { Dialect } from '../dialect.ts';
import { MenuCommands, type MenuCommandsOptions } from '../menu/menu-commands.ts';
import type { Argument, BinaryOperator, Expression, Script, Statement } from './ast.ts';
import { looselyEqual, order } from './compare.ts';
import { parseScript } from './parser.ts';
import { Scope } from './scope.ts';
import { runtimeError, ScriptError } from './script-error.ts';
import { serializeJson } from './serialize.ts';
import { Duration, ItemId, isList, isMap, isTrue, toText, type Value, type ValueMap } from './value.ts';

/** What a command line did. `hang`: it was not complete, and the device waits for the rest. */
export interface ScriptResult {
  readonly outcome: 'done' | 'failed' | 'hang';
  /** Lines end in CRLF. */
  readonly output: string;
}

/** What became of a script that was parsed before. @throws nothing, as `runScript`. */
export function runParsed(script: Script, dialect: Dialect, options: MenuCommandsOptions): ScriptResult {
  return attempt(() => script, dialect, options);
}

/** @throws nothing: what goes wrong is printed, as the device does. */
export function runScript(source: string, dialect: Dialect, options: MenuCommandsOptions): ScriptResult {
  return attempt(() => parseScript(source, options.tree), dialect, options);
}

function attempt(parse: () => Script, dialect: Dialect, options: MenuCommandsOptions): ScriptResult {
  const lines: string[] = [];
  const print = (line: string) => void lines.push(`${line}\r\n`);
  const finish = (outcome: ScriptResult['outcome']) => ({ outcome, output: lines.join('') });
  try {
    const script = parse();
    new Interpreter(dialect, new MenuCommands(options, print), print, options).run(script);
    return finish('done');
  } catch (err) {
    if (!(err instanceof ScriptError)) throw err;
    if (err.kind === 'incomplete' && dialect.unbalanced === 'hang') return finish('hang');
    print(err.message);
    return finish('failed');
  }
}

/** Property names a filter can see: those of the item it is tried on. */
type Item = ValueMap | undefined;

class Interpreter {
  readonly #dialect: Dialect;
  readonly #commands: MenuCommands;
  readonly #print: (line: string) => void;
  readonly #options: MenuCommandsOptions;

  constructor(
    dialect: Dialect,
    commands: MenuCommands,
    print: (line: string) => void,
    options: MenuCommandsOptions,
  ) {
    this.#dialect = dialect;
    this.#commands = commands;
    this.#print = print;
    this.#options = options;
  }

  run(script: Script): void {
    this.#script(script, new Scope());
  }

  /** The value of the last statement. */
  #script(script: Script, scope: Scope): Value {
    let value: Value;
    for (const statement of script) value = this.#statement(statement, scope);
    return value;
  }

  #statement(statement: Statement, scope: Scope): Value {
    switch (statement.kind) {
      case 'block':
        return this.#script(statement.script, new Scope(scope));
      case 'global':
        return this.#global(statement, scope);
      case 'menu':
        break;
    }
    const { where } = statement;
    return this.#commands.run(statement, {
      positional: statement.positional.map((argument) => this.#argument(argument, scope)),
      named: new Map([...statement.named].map(([name, arg]) => [name, this.#argument(arg, scope)])),
      matches: where ? (item) => this.#truth(where, scope, item) : undefined,
    });
  }

  #global(statement: Statement & { readonly kind: 'global' }, scope: Scope): Value {
    const { name, positional, named } = statement;
    const [first, second] = positional;
    const value = (argument: Argument | undefined) => this.#argument(argument, scope);
    switch (name) {
      case 'put':
        this.#print(toText(value(first)));
        return undefined;
      case 'local':
        scope.declare(nameOf(first), value(second));
        return undefined;
      case 'global':
        scope.declareGlobal(nameOf(first), value(second));
        return undefined;
      case 'set':
        if (!scope.assign(nameOf(first), value(second))) throw runtimeError('syntax error');
        return undefined;
      case 'error':
        throw runtimeError(toText(value(first)));
      case 'len':
        return lengthOf(value(first));
      case 'typeof':
        return typeOf(value(first));
      case 'tostr':
        return toText(value(first));
      case 'tonum': {
        const text = toText(value(first));
        return /^-?\d+$/.test(text) ? Number(text) : undefined;
      }
      case 'log':
        this.#options.log(`script,${nameOf(first)}`, toText(value(second)));
        return undefined;
      case 'serialize':
        return this.#serialize(named, scope);
      case 'if': {
        const branch = isTrue(value(first)) ? named.get('do') : named.get('else');
        return this.#block(branch, scope);
      }
      case 'foreach':
        return this.#foreach(nameOf(first), named, scope);
      case 'do':
        return this.#attempt(first, named.get('on-error'), scope);
      default:
        throw runtimeError(`bad command name ${name}`);
    }
  }

  #serialize(named: ReadonlyMap<string, Argument>, scope: Scope): Value {
    const to = toText(this.#argument(named.get('to'), scope));
    if (to !== 'json') throw runtimeError('input does not match any value of to');
    const options = toText(this.#argument(named.get('options'), scope)).split(';');
    const keepStrings = options.includes('json.no-string-conversion');
    return serializeJson(this.#argument(named.get('value'), scope), keepStrings, this.#dialect);
  }

  #foreach(name: string, named: ReadonlyMap<string, Argument>, scope: Scope): Value {
    const values = this.#argument(named.get('in'), scope);
    for (const item of isList(values) ? values : isMap(values) ? [...values.values()] : [values]) {
      if (item === undefined) continue;
      const inner = new Scope(scope);
      inner.declare(name, item);
      this.#block(named.get('do'), inner);
    }
    return undefined;
  }

  #attempt(body: Argument | undefined, onError: Argument | undefined, scope: Scope): Value {
    try {
      return this.#block(body, scope);
    } catch (err) {
      if (!(err instanceof ScriptError) || !onError) throw err;
      return this.#block(onError, scope);
    }
  }

  #block(argument: Argument | undefined, scope: Scope): Value {
    return argument?.kind === 'block' ? this.#script(argument.script, new Scope(scope)) : undefined;
  }

  #argument(argument: Argument | undefined, scope: Scope): Value {
    return argument?.kind === 'value' ? this.#evaluate(argument.value, scope, undefined) : undefined;
  }

  #truth(expression: Expression, scope: Scope, item: Item): boolean {
    return isTrue(
      expression.kind === 'word' && item
        ? item.get(expression.text)
        : this.#evaluate(expression, scope, item),
    );
  }

  #evaluate(expression: Expression, scope: Scope, item: Item): Value {
    switch (expression.kind) {
      case 'literal':
        return expression.value;
      case 'word':
        return expression.text;
      case 'string':
        return expression.parts
          .map((part) => (part.kind === 'text' ? part.text : toText(this.#variable(part.name, scope, item))))
          .join('');
      case 'variable':
        return this.#variable(expression.name, scope, item);
      case 'array':
        return this.#array(expression.entries, scope, item);
      case 'substitution':
        return this.#script(expression.script, new Scope(scope));
      case 'not':
        return !this.#truth(expression.operand, scope, item);
      case 'binary':
        return this.#binary(expression.operator, expression.left, expression.right, scope, item);
      case 'element':
        break;
    }
    const index = this.#evaluate(expression.index, scope, item);
    return elementOf(this.#evaluate(expression.target, scope, item), index);
  }

  /** In a filter the item's properties hide variables of the same name, a known trap. */
  #variable(name: string, scope: Scope, item: Item): Value {
    return item?.has(name) ? item.get(name) : scope.get(name);
  }

  #array(entries: (Expression & { kind: 'array' })['entries'], scope: Scope, item: Item): Value {
    if (entries.length === 0 || entries.some(({ key }) => key === undefined)) {
      return entries.map(({ value }) => this.#evaluate(value, scope, item));
    }
    return new Map(
      entries.map(({ key, value }) => [
        key ? toText(this.#evaluate(key, scope, item)) : '',
        this.#evaluate(value, scope, item),
      ]),
    );
  }

  #binary(operator: BinaryOperator, left: Expression, right: Expression, scope: Scope, item: Item): Value {
    if (operator === 'and') return this.#truth(left, scope, item) && this.#truth(right, scope, item);
    if (operator === 'or') return this.#truth(left, scope, item) || this.#truth(right, scope, item);
    const a = left.kind === 'word' && item ? item.get(left.text) : this.#evaluate(left, scope, item);
    const b = this.#evaluate(right, scope, item);
    switch (operator) {
      case '.':
        return toText(a) + toText(b);
      case '=':
        return looselyEqual(a, b);
      case '!=':
        return !looselyEqual(a, b);
      case '<':
        return order(a, b) < 0;
      case '>':
        return order(a, b) > 0;
      case '<=':
        return order(a, b) <= 0;
      case '>=':
        return order(a, b) >= 0;
      case '~':
        return matchesPattern(toText(a), toText(b));
      case '+':
      case '-':
      case '*':
      case '/':
        break;
    }
    return arithmetic(operator, a, b);
  }
}

function nameOf(argument: Argument | undefined): string {
  const expression = argument?.kind === 'value' ? argument.value : undefined;
  if (expression?.kind === 'word') return expression.text;
  if (expression?.kind === 'string') {
    return expression.parts.map((part) => (part.kind === 'text' ? part.text : '')).join('');
  }
  throw runtimeError('syntax error');
}

function elementOf(target: Value, index: Value): Value {
  if (isList(target)) return typeof index === 'number' ? target[index] : undefined;
  return isMap(target) ? target.get(toText(index)) : undefined;
}

function lengthOf(value: Value): number {
  if (isList(value)) return value.length;
  return isMap(value) ? value.size : toText(value).length;
}

function typeOf(value: Value): string {
  if (value === undefined) return 'nothing';
  if (isList(value) || isMap(value)) return 'array';
  if (value instanceof ItemId) return 'id';
  if (value instanceof Duration) return 'time';
  const names = { string: 'str', number: 'num', boolean: 'bool' } as const;
  const type = typeof value;
  return type === 'string' || type === 'number' || type === 'boolean' ? names[type] : 'nothing';
}

/** Patterns are POSIX extended ones; what is the same in JavaScript's is understood. */
function matchesPattern(text: string, pattern: string): boolean {
  try {
    return new RegExp(pattern).test(text);
  } catch (err) {
    if (err instanceof SyntaxError) throw runtimeError('invalid regular expression');
    throw err;
  }
}

function arithmetic(operator: '+' | '-' | '*' | '/', left: Value, right: Value): number {
  const [a, b] = [Number(toText(left)), Number(toText(right))];
  if (Number.isNaN(a) || Number.isNaN(b))
    throw runtimeError(`cannot compute ${toText(left)} ${operator} ${toText(right)}`);
  if (operator === '+') return a + b;
  if (operator === '-') return a - b;
  if (operator === '*') return a * b;
  if (b === 0) throw runtimeError('division by zero');
  return Math.trunc(a / b);
}
