import type { Clock } from '@reattach/core';
import type { Device } from '../device/device.ts';
import type { Dialect } from '../dialect.ts';
import type { GlobalGrammar, Grammar, VerbGrammar } from '../script/grammar.ts';
import { addressListMenu } from './address-list-menu.ts';
import { addressMenu } from './address-menu.ts';
import { connectionMenu, trackingMenu } from './connection-menu.ts';
import { diskMenu } from './disk-menu.ts';
import { type ListMenu, type Menu, NO_NAMES, type SettingsMenu } from './menu.ts';
import { bridgeMenu, bridgePortMenu, bridgeSettingsMenu, ipSettingsMenu } from './offload-menus.ts';
import { ruleMenu } from './rule-menu.ts';
import { type SshService, serviceMenu } from './service-menu.ts';
import { groupMenu, identityMenu, logMenu, resourceMenu, userMenu } from './system-menus.ts';

export interface MenuTreeOptions {
  readonly device: Device;
  readonly clock: Clock;
  readonly dialect: Dialect;
  readonly users: () => readonly { readonly name: string; readonly group: string }[];
  readonly ssh: () => SshService;
}

/** All menus there are, and the grammar that follows from them. */
export class MenuTree implements Grammar {
  readonly unknownArgument: Grammar['unknownArgument'];
  readonly #menus: ReadonlyMap<string, Menu>;
  readonly #paths: ReadonlySet<string>;
  readonly #serialize: Dialect['serialize'];

  constructor({ device, clock, dialect, users, ssh }: MenuTreeOptions) {
    const menus = [
      diskMenu(device),
      resourceMenu(device, dialect),
      identityMenu(device),
      connectionMenu(device, clock),
      trackingMenu(device, dialect),
      addressListMenu(device, clock),
      ruleMenu('raw', device.raw),
      ruleMenu('filter', device.filter),
      serviceMenu(device, ssh),
      addressMenu(device),
      ipSettingsMenu(device),
      bridgeMenu(device),
      bridgePortMenu(device),
      bridgeSettingsMenu(device),
      userMenu(users),
      groupMenu(),
      logMenu(device),
    ];
    this.unknownArgument = dialect.unknownArgument;
    this.#serialize = dialect.serialize;
    this.#menus = new Map(menus.map((menu) => [menu.path, menu]));
    this.#paths = new Set(menus.flatMap(({ path }) => ancestors(path)));
  }

  menu(path: string): Menu | undefined {
    return this.#menus.get(path);
  }

  hasMenu(path: string): boolean {
    return this.#paths.has(path);
  }

  verb(path: string, verb: string): VerbGrammar | undefined {
    const menu = this.#menus.get(path);
    if (!menu) return undefined;
    return menu.kind === 'list' ? listVerb(menu, verb) : settingsVerb(menu, verb);
  }

  globalCommand(name: string): GlobalGrammar | undefined {
    if (name !== 'serialize') return GLOBAL_COMMANDS.get(name);
    if (this.#serialize === 'missing') return undefined;
    const named = this.#serialize === 'plain' ? ['to', 'value'] : ['to', 'value', 'options'];
    return { named: new Set(named), positional: 0, blocks: NO_NAMES };
  }
}

const PRINT_MODES = ['brief', 'detail', 'terse', 'as-value', 'without-paging', 'show-ids'];
const ITEM_VERBS: ReadonlySet<string> = new Set(['set', 'remove', 'enable', 'disable']);

const GLOBAL_COMMANDS: ReadonlyMap<string, GlobalGrammar> = new Map(
  Object.entries({
    put: { named: NO_NAMES, positional: 1, blocks: NO_NAMES },
    local: { named: NO_NAMES, positional: 2, blocks: NO_NAMES },
    global: { named: NO_NAMES, positional: 2, blocks: NO_NAMES },
    set: { named: NO_NAMES, positional: 2, blocks: NO_NAMES },
    error: { named: NO_NAMES, positional: 1, blocks: NO_NAMES },
    len: { named: NO_NAMES, positional: 1, blocks: NO_NAMES },
    typeof: { named: NO_NAMES, positional: 1, blocks: NO_NAMES },
    tostr: { named: NO_NAMES, positional: 1, blocks: NO_NAMES },
    tonum: { named: NO_NAMES, positional: 1, blocks: NO_NAMES },
    log: { named: NO_NAMES, positional: 2, blocks: NO_NAMES },
    foreach: { named: new Set(['in', 'do']), positional: 1, blocks: new Set(['do']) },
    if: { named: new Set(['do', 'else']), positional: 1, blocks: new Set(['do', 'else']) },
    do: { named: new Set(['on-error']), positional: 1, blocks: new Set(['on-error']), positionalBlock: true },
  }),
);

function listVerb(menu: ListMenu, verb: string): VerbGrammar | undefined {
  const plain = { named: NO_NAMES, modes: NO_NAMES, positional: 0, where: 'none' } as const;
  if (verb === 'print') {
    const stats = menu.stats.length > 0 ? ['stats', 'stats-detail'] : [];
    const modes = new Set([...PRINT_MODES, 'count-only', ...stats]);
    return { named: new Set(['from', 'proplist']), modes, positional: 0, where: 'explicit' };
  }
  if (verb === 'find') return { ...plain, where: 'open' };
  if (verb === 'get') return { ...plain, named: new Set(['number', 'value-name']), positional: 2 };
  if (verb === 'add' && menu.add) {
    return { ...plain, named: new Set([...menu.settable, ...(menu.ordered ? ['place-before'] : [])]) };
  }
  if (verb === 'remove' && menu.remove) return { ...plain, named: new Set(['numbers']), positional: 1 };
  if (!ITEM_VERBS.has(verb) || !menu.set) return undefined;
  if (verb === 'set') return { ...plain, named: new Set([...menu.settable, 'numbers']), positional: 1 };
  return menu.settable.has('disabled') ? { ...plain, named: new Set(['numbers']), positional: 1 } : undefined;
}

function settingsVerb(menu: SettingsMenu, verb: string): VerbGrammar | undefined {
  const plain = { named: NO_NAMES, modes: NO_NAMES, positional: 0, where: 'none' } as const;
  if (verb === 'print') return { ...plain, modes: new Set(PRINT_MODES) };
  if (verb === 'get') return { ...plain, named: new Set(['value-name']), positional: 1 };
  return verb === 'set' && menu.set ? { ...plain, named: menu.settable } : undefined;
}

/** `/ip`, `/ip/firewall`, `/ip/firewall/raw`. */
function ancestors(path: string): readonly string[] {
  const parts = path.split('/').slice(1);
  return parts.map((_, index) => `/${parts.slice(0, index + 1).join('/')}`);
}
