import { TemplateError } from './template-error.ts';
import { ARITY, isEmpty, TEMPLATE_FUNCTIONS, toText } from './template-functions.ts';
import { type Expression, FILES_GET, type TemplateNode } from './template-parser.ts';

type Definitions = ReadonlyMap<string, readonly TemplateNode[]>;

/** Prints nodes. `root` is `$` and, at first, `.`. @throws {TemplateError} */
export function evaluateTemplate(
  nodes: readonly TemplateNode[],
  root: unknown,
  definitions: Definitions,
): string {
  return new Evaluator(definitions, root).print(nodes, root);
}

class Evaluator {
  readonly #definitions: Definitions;
  readonly #variables = new Map<string, unknown>();

  constructor(definitions: Definitions, root: unknown) {
    this.#definitions = definitions;
    this.#variables.set('$', root);
  }

  print(nodes: readonly TemplateNode[], dot: unknown): string {
    return nodes.map((node) => this.#printNode(node, dot)).join('');
  }

  #printNode(node: TemplateNode, dot: unknown): string {
    if (node.kind === 'text') return node.text;
    const value = this.#evaluate(node.value, dot, node.where);
    switch (node.kind) {
      case 'print':
        return attempt(() => toText(value), node.where);
      case 'assign':
        if (this.#variables.has(node.variable))
          throw new TemplateError(`setting ${node.variable} twice is not in the subset`, node.where);
        this.#variables.set(node.variable, value);
        return '';
      case 'if':
        return this.print(isEmpty(value) ? node.otherwise : node.body, dot);
      case 'with':
        return isEmpty(value) ? this.print(node.otherwise, dot) : this.print(node.body, value);
      case 'range':
        if (isEmpty(value)) return this.print(node.otherwise, dot);
        if (!Array.isArray(value))
          throw new TemplateError('range over anything but a list is not in the subset', node.where);
        return value.map((item) => this.print(node.body, item)).join('');
      default:
        return node satisfies never;
    }
  }

  #evaluate(expression: Expression, dot: unknown, where: string): unknown {
    switch (expression.kind) {
      case 'literal':
        return expression.value;
      case 'field':
        return this.#field(expression, dot, where);
      case 'call':
        return this.#call(expression, dot, where);
      default:
        return expression satisfies never;
    }
  }

  #field({ variable, path }: Extract<Expression, { kind: 'field' }>, dot: unknown, where: string): unknown {
    if (variable !== '' && !this.#variables.has(variable))
      throw new TemplateError(`${variable} is not set`, where);
    let value = variable === '' ? dot : this.#variables.get(variable);
    for (const name of path) {
      if (typeof value !== 'object' || value === null || Array.isArray(value))
        throw new TemplateError(`there is no ${name} in ${JSON.stringify(value)}`, where);
      value = Object.hasOwn(value, name) ? (value as Readonly<Record<string, unknown>>)[name] : undefined;
    }
    return value;
  }

  #call({ name, args }: Extract<Expression, { kind: 'call' }>, dot: unknown, where: string): unknown {
    if (name === 'include') {
      const [definition, root] = args.map((arg) => this.#evaluate(arg, dot, where));
      const nodes = this.#definitions.get(String(definition));
      if (!nodes || args.length !== 2)
        throw new TemplateError(`there is no template ${String(definition)}`, where);
      return evaluateTemplate(nodes, root, this.#definitions);
    }
    if (name === FILES_GET) return this.#readFile(args, dot, where);
    const call = Object.hasOwn(TEMPLATE_FUNCTIONS, name) ? TEMPLATE_FUNCTIONS[name] : undefined;
    if (!call) throw new TemplateError(`the function ${name} is not in the subset`, where);
    const arity = ARITY[name];
    if (arity === undefined ? args.length === 0 : args.length !== arity)
      throw new TemplateError(`${name} has ${args.length} arguments`, where);
    return attempt(() => call(...args.map((arg) => this.#evaluate(arg, dot, where))), where);
  }

  #readFile([path]: readonly Expression[], dot: unknown, where: string): string {
    const files = this.#field({ kind: 'field', variable: '', path: ['Files'] }, dot, where);
    const name = path && String(this.#evaluate(path, dot, where));
    const text =
      files instanceof Map && name !== undefined ? (files.get(name) as string | undefined) : undefined;
    if (text === undefined) throw new TemplateError(`there is no file ${name}`, where);
    return text;
  }
}

function attempt<T>(fn: () => T, where: string): T {
  try {
    return fn();
  } catch (err) {
    if (err instanceof TemplateError) throw err;
    throw new TemplateError(err instanceof Error ? err.message : String(err), where);
  }
}
