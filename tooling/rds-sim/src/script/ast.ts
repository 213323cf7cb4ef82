import type { StringPart } from './tokenizer.ts';
import type { Value } from './value.ts';

export type BinaryOperator =
  | 'or'
  | 'and'
  | '='
  | '!='
  | '<'
  | '>'
  | '<='
  | '>='
  | '~'
  | '.'
  | '+'
  | '-'
  | '*'
  | '/';

export type Expression =
  | { readonly kind: 'literal'; readonly value: Value }
  /** A bare word: the name of a property left of an operator in `where`, text everywhere else. */
  | { readonly kind: 'word'; readonly text: string }
  | { readonly kind: 'string'; readonly parts: readonly StringPart[] }
  | { readonly kind: 'variable'; readonly name: string }
  | { readonly kind: 'array'; readonly entries: readonly ArrayEntry[] }
  | { readonly kind: 'substitution'; readonly script: Script }
  | { readonly kind: 'not'; readonly operand: Expression }
  | {
      readonly kind: 'binary';
      readonly operator: BinaryOperator;
      readonly left: Expression;
      readonly right: Expression;
    }
  | { readonly kind: 'element'; readonly target: Expression; readonly index: Expression };

export interface ArrayEntry {
  readonly key: Expression | undefined;
  readonly value: Expression;
}

/** An argument of a command: a value, or a block of statements (`do={...}`). */
export type Argument =
  | { readonly kind: 'value'; readonly value: Expression }
  | { readonly kind: 'block'; readonly script: Script };

interface Call {
  /** Offset of the command in the script, from 0. */
  readonly at: number;
  readonly positional: readonly Argument[];
  readonly named: ReadonlyMap<string, Argument>;
}

export type Statement =
  | (Call & { readonly kind: 'global'; readonly name: string })
  | (Call & {
      readonly kind: 'menu';
      readonly path: string;
      readonly verb: string;
      /** Bare words of `print`: `detail`, `as-value`, ... */
      readonly modes: ReadonlySet<string>;
      readonly where: Expression | undefined;
    })
  | { readonly kind: 'block'; readonly script: Script };

export type Script = readonly Statement[];
