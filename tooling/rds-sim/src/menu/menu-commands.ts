import type { Dialect } from '../dialect.ts';
import { isCounter, printDetail, printSettings, printTable, printTerse } from '../print/print-text.ts';
import type { Statement } from '../script/ast.ts';
import { runtimeError } from '../script/script-error.ts';
import { ItemId, isList, toText, type Value, type ValueMap } from '../script/value.ts';
import type { ListMenu, Menu, Row, SettingsMenu } from './menu.ts';
import type { MenuTree } from './menu-tree.ts';
import { scriptRecord } from './script-record.ts';

export interface MenuCommandsOptions {
  readonly tree: MenuTree;
  readonly dialect: Dialect;
  /** Whether the user's group has the policy `write`. */
  readonly mayWrite: boolean;
  /** Width of the terminal text is wrapped for. */
  readonly widthColumns: number;
  readonly log: (topics: string, message: string) => void;
}

/** A command's arguments, computed. */
export interface MenuArguments {
  readonly positional: readonly Value[];
  readonly named: ReadonlyMap<string, Value>;
  /** The filter; absent: everything. */
  readonly matches: ((values: ValueMap) => boolean) | undefined;
}

type MenuStatement = Statement & { readonly kind: 'menu' };

/** Carries out commands on menus: prints text or returns a value, as a script would get it. */
export class MenuCommands {
  readonly #options: MenuCommandsOptions;
  readonly #print: (line: string) => void;

  constructor(options: MenuCommandsOptions, print: (line: string) => void) {
    this.#options = options;
    this.#print = print;
  }

  /** @throws {ScriptError} what the device answers when it refuses. */
  run(statement: MenuStatement, args: MenuArguments): Value {
    const menu = this.#options.tree.menu(statement.path);
    if (!menu) throw runtimeError('no such command');
    const { verb } = statement;
    if (verb !== 'print' && verb !== 'get' && verb !== 'find' && !this.#options.mayWrite) {
      throw runtimeError('not enough permissions (9)');
    }
    return menu.kind === 'list' ? this.#list(menu, statement, args) : this.#settings(menu, statement, args);
  }

  #settings(menu: SettingsMenu, { verb, modes }: MenuStatement, { positional, named }: MenuArguments): Value {
    if (verb === 'set') {
      menu.set?.(textOf(named));
      return undefined;
    }
    const record = scriptRecord(menu.read(), this.#options.dialect);
    if (verb === 'get') return this.#property(menu, record, positional[0] ?? named.get('value-name'));
    if (modes.has('as-value')) return record;
    for (const line of printSettings(menu)) this.#print(line);
    return undefined;
  }

  #list(menu: ListMenu, statement: MenuStatement, args: MenuArguments): Value {
    const { positional, named, matches } = args;
    switch (statement.verb) {
      case 'print':
        return this.#printList(menu, statement, args);
      case 'find':
        return menu
          .rows()
          .filter(({ id, values }) => !matches || matches(withId(id, values)))
          .map(({ id }) => id);
      case 'get': {
        const rows = this.#resolve(menu, positional[0] ?? named.get('number'));
        const [row] = rows;
        if (!row) throw runtimeError('no such item');
        if (rows.length > 1)
          throw runtimeError('ambiguous value of number, more than one possible value matches input');
        const name = positional[1] ?? named.get('value-name');
        const wanted = name === undefined ? wantedKeys(menu, 'detail') : undefined;
        const record = scriptRecord(withId(row.id, row.values), this.#options.dialect, wanted);
        return this.#property(menu, record, name);
      }
      case 'add': {
        const before = this.#placeBefore(menu, named.get('place-before'));
        return menu.add?.(textOf(named), before);
      }
      case 'set':
      case 'enable':
      case 'disable': {
        const values = new Map(textOf(named));
        if (statement.verb !== 'set') values.set('disabled', statement.verb === 'disable' ? 'yes' : 'no');
        for (const { id } of this.#resolve(menu, this.#numbers(args))) menu.set?.(id, values);
        return undefined;
      }
      case 'remove':
        for (const { id } of this.#resolve(menu, this.#numbers(args))) menu.remove?.(id);
        return undefined;
      default:
        throw runtimeError(`bad command name ${statement.verb}`);
    }
  }

  #printList(menu: ListMenu, { modes }: MenuStatement, { named, matches }: MenuArguments): Value {
    const from = named.get('from');
    const wanted =
      from === undefined ? undefined : new Set(this.#resolve(menu, from).map(({ id }) => id.number));
    const rows = menu
      .rows()
      .map((row, index) => ({ row, index }))
      .filter(({ row }) => !wanted || wanted.has(row.id.number))
      .map(({ row, index }) => ({ row, index, item: withId(row.id, row.values) }))
      .filter(({ item }) => !matches || matches(item));
    if (modes.has('count-only')) {
      this.#print(String(rows.length));
      return rows.length;
    }
    const stats = modes.has('stats') || modes.has('stats-detail');
    const proplist = named.get('proplist');
    const chosen = proplist === undefined ? undefined : toText(proplist).split(/[,;]/);
    const { dialect, widthColumns } = this.#options;
    if (modes.has('as-value')) {
      const form = stats ? 'stats' : modes.has('detail') ? 'detail' : 'brief';
      const keys = wantedKeys(menu, form, chosen);
      const records = rows.map(({ item }) => scriptRecord(item, dialect, keys));
      return dialect.singleRow === 'object' && records.length === 1 ? records[0] : records;
    }
    const keys = chosen ?? (stats ? menu.stats : undefined);
    const emptyFlags = dialect.emptyPrint === 'flags';
    const lines =
      modes.has('detail') || modes.has('stats-detail')
        ? printDetail(menu, keys, rows, { widthColumns, emptyFlags })
        : modes.has('terse')
          ? printTerse(menu, keys, rows)
          : printTable(menu, keys ?? menu.brief, rows);
    for (const line of lines) this.#print(line);
    return undefined;
  }

  #property(menu: Menu, record: ValueMap, name: Value): Value {
    if (name === undefined) return record;
    const key = toText(name);
    if (record.has(key)) return record.get(key);
    const known =
      menu.settable.has(key) || (menu.kind === 'list' && menu.rows().some(({ values }) => values.has(key)));
    if (!known) throw runtimeError('input does not match any value of value-name');
    return undefined;
  }

  #numbers({ positional, named }: MenuArguments): Value {
    const numbers = positional[0] ?? named.get('numbers');
    if (numbers === undefined && positional.length === 0) throw runtimeError('expected item id');
    return numbers;
  }

  /** The items meant by ids, names, numbers, or a list of them. An empty list means none. */
  #resolve(menu: ListMenu, value: Value): readonly Row[] {
    const rows = menu.rows();
    const items = isList(value) ? value : [value];
    return items.map((item) => {
      const row = rows.find((candidate, index) => isMeant(candidate, index, item));
      if (!row) throw runtimeError('no such item');
      return row;
    });
  }

  #placeBefore(menu: ListMenu, value: Value): ItemId | undefined {
    if (value === undefined) return undefined;
    const first = value === 0 && menu.rows().length === 0;
    if (first && this.#options.dialect.placeBeforeInEmpty) return undefined;
    return this.#resolve(menu, value)[0]?.id;
  }
}

function isMeant(row: Row, index: number, item: Value): boolean {
  if (item instanceof ItemId) return row.id.number === item.number;
  if (typeof item === 'number') return row.name === String(item) || index === item;
  const text = toText(item);
  return text !== '' && (row.name === text || row.id.toString() === text);
}

/** Which of a row's keys a script gets, beside its id. */
function wantedKeys(
  menu: ListMenu,
  form: 'brief' | 'detail' | 'stats',
  chosen?: readonly string[],
): (key: string) => boolean {
  if (form === 'detail' && !chosen) return (key) => !isCounter(key);
  const keys = new Set(['.id', ...(chosen ?? (form === 'stats' ? menu.stats : menu.brief))]);
  return (key) => keys.has(key);
}

function withId(id: ItemId, values: ValueMap): ValueMap {
  const item = new Map<string, Value>([['.id', id]]);
  for (const [key, value] of values) item.set(key, value);
  return item;
}

/** Lists are spelled with commas. */
function textOf(named: ReadonlyMap<string, Value>): ReadonlyMap<string, string> {
  return new Map(
    [...named]
      .filter(([name]) => name !== 'numbers' && name !== 'place-before')
      .map(([name, value]) => [name, isList(value) ? value.map(toText).join(',') : textOfOne(value)]),
  );
}

function textOfOne(value: Value): string {
  return typeof value === 'boolean' ? (value ? 'yes' : 'no') : toText(value);
}
