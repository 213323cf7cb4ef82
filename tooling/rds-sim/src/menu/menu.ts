import type { ItemId, ValueMap } from '../script/value.ts';

export interface Flag {
  readonly letter: string;
  /** As the legend spells it. */
  readonly name: string;
  /** The key that is true where the flag is set. */
  readonly key: string;
  /** Printed as `key=yes` too. */
  readonly alsoKey?: boolean;
}

export interface Row {
  readonly id: ItemId;
  /** A name that scripts may use instead of the id. */
  readonly name?: string;
  /** In print order. A key that is absent has no value here. */
  readonly values: ValueMap;
}

/** A row whose values are computed when they are read: finding one of a thousand by its id stays cheap. */
export class LazyRow implements Row {
  readonly id: ItemId;
  readonly name: string;
  readonly #read: () => ValueMap;
  #values: ValueMap | undefined;

  constructor(id: ItemId, name: string, read: () => ValueMap) {
    this.id = id;
    this.name = name;
    this.#read = read;
  }

  get values(): ValueMap {
    return (this.#values ??= this.#read());
  }
}

interface AnyMenu {
  /** `/ip/firewall/raw`. */
  readonly path: string;
  /** Keys whose text is printed in quotes. */
  readonly quoted: ReadonlySet<string>;
  /** Names that `add` and `set` take. */
  readonly settable: ReadonlySet<string>;
}

/** Settings: one record without a number. */
export interface SettingsMenu extends AnyMenu {
  readonly kind: 'settings';
  read(): ValueMap;
  set?(values: ReadonlyMap<string, string>): void;
}

/** A list of items. Verbs whose method is absent do not exist. */
export interface ListMenu extends AnyMenu {
  readonly kind: 'list';
  readonly flags: readonly Flag[];
  /** Columns of plain `print`, and what `as-value` has without `detail`. */
  readonly brief: readonly string[];
  /** What `print stats` shows; empty: there is no such mode. */
  readonly stats: readonly string[];
  /** The order of items means something: `add` takes `place-before`. */
  readonly ordered: boolean;
  rows(): readonly Row[];
  /** @param before the item it is put in front of. @throws {ScriptError} what RouterOS answers when it refuses. */
  add?(values: ReadonlyMap<string, string>, before: ItemId | undefined): ItemId;
  set?(id: ItemId, values: ReadonlyMap<string, string>): void;
  remove?(id: ItemId): void;
}

export type Menu = SettingsMenu | ListMenu;

export const NO_NAMES: ReadonlySet<string> = new Set();
