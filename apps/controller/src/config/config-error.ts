/** One reason why the configuration was refused. */
export interface ConfigProblem {
  /** Key of the option, or the unknown name that was given. */
  readonly key: string;
  /** Where the value came from: `--rds-user`, `REATTACH_RDS_USER`, file and line; absent when no source has one. */
  readonly source?: string;
  /** The value as given; absent for secrets, unknown keys and missing values. */
  readonly value?: string;
  readonly expected: string;
}

/** The configuration cannot be used. Carries and prints every problem, not only the first. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';
  readonly problems: readonly ConfigProblem[];

  constructor(problems: readonly ConfigProblem[]) {
    super(['Configuration was refused:', ...problems.map((problem) => `  ${line(problem)}`)].join('\n'));
    this.problems = problems;
  }
}

function line({ key, source, value, expected }: ConfigProblem): string {
  const where = source === undefined ? key : `${key} (${source})`;
  const got = value === undefined ? '' : `got ${value}, `;
  return `${where}: ${got}expected ${expected}`;
}
