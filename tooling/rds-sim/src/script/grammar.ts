/** What the parser has to know about menus: unknown names are syntax errors, found before anything runs. */
export interface Grammar {
  /** @param path `/ip/firewall`; the root is the empty string. */
  hasMenu(path: string): boolean;
  /** `undefined` when the menu has no such verb. */
  verb(path: string, verb: string): VerbGrammar | undefined;
  /** `undefined` when there is no such command. */
  globalCommand(name: string): GlobalGrammar | undefined;
  /** How an unknown argument is refused; 7.23 changed the text. */
  readonly unknownArgument: 'expected end of command' | 'bad parameter';
}

export interface VerbGrammar {
  /** Names that take `=value`. */
  readonly named: ReadonlySet<string>;
  /** Bare words. */
  readonly modes: ReadonlySet<string>;
  /** Most values without a name. */
  readonly positional: number;
  /** `explicit`: a filter follows the word `where`; `open`: the word may be left out. */
  readonly where: 'none' | 'explicit' | 'open';
}

export interface GlobalGrammar {
  readonly named: ReadonlySet<string>;
  readonly positional: number;
  /** Names whose value is a block of statements. */
  readonly blocks: ReadonlySet<string>;
  /** The positional value is a block of statements. */
  readonly positionalBlock?: boolean;
}
