/** Options of every bench; a bench ignores those that do not concern it. */
export interface BenchOptions {
  /** Print one JSON object a line to standard output; tables go to standard error. */
  readonly json: boolean;
  /** 1 or 10 times the size of the published figures; absent: both. */
  readonly scale: 1 | 10 | undefined;
}
