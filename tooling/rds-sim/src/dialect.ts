import type { DurationStyle } from './script/duration.ts';

/** Where RouterOS versions differ, or a real device was not checked: a client has to cope with each. */
export interface Dialect {
  /** As `/system/resource` shows it. Default `7.24.2 (stable)`. */
  readonly version: string;
  /** Of times a script reads. Default `units`. */
  readonly durationStyle: DurationStyle;
  /**
   * Of addresses a script reads. `plain`: ports are keys of their own. `with-port`: the older form, `10.0.5.1:48984`.
   * `ipv4-mapped`: `::ffff:10.0.5.1`. Default `plain`.
   */
  readonly addressStyle: 'plain' | 'with-port' | 'ipv4-mapped';
  /** What `print as-value` gives for one record. Default `array`. */
  readonly singleRow: 'array' | 'object';
  /** How an empty array is serialised: `[]` or `""`. Default `array`. */
  readonly emptyRows: 'array' | 'empty-string';
  /** Exit status of a command that was refused or failed. Default 0. */
  readonly errorExitStatus: 0 | 1;
  /** `:serialize` came with 7.13, its `options` with 7.16. Default `options`. */
  readonly serialize: 'options' | 'plain' | 'missing';
  /** How an unknown argument is refused. Default `bad parameter`, as since 7.23. */
  readonly unknownArgument: 'expected end of command' | 'bad parameter';
  /** What `print detail` prints without a match: nothing, or the line `Flags:`. Default `nothing`. */
  readonly emptyPrint: 'nothing' | 'flags';
  /** The name under which connection tracking reports whether it runs; the manual of 7.24 has `active-ipv4`, the default. */
  readonly trackingActive: 'active-ipv4' | 'active' | 'absent';
  /** What an open quote or bracket does: the channel stays open, or a syntax error. Default `hang`. */
  readonly unbalanced: 'hang' | 'error';
  /** Whether `place-before=0` is accepted in a table without rules. Default false. */
  readonly placeBeforeInEmpty: boolean;
}

export const DEFAULT_DIALECT: Dialect = {
  version: '7.24.2 (stable)',
  durationStyle: 'units',
  addressStyle: 'plain',
  singleRow: 'array',
  emptyRows: 'array',
  errorExitStatus: 0,
  serialize: 'options',
  unknownArgument: 'bad parameter',
  emptyPrint: 'nothing',
  trackingActive: 'active-ipv4',
  unbalanced: 'hang',
  placeBeforeInEmpty: false,
};
