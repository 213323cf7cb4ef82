import type { RunOptions, ScenarioRun } from './scenario-run.ts';
import type { Outcome } from './summary.ts';

/** A fault, the expected consequences, and the forbidden ones. */
export interface Scenario extends RunOptions {
  readonly name: string;
  /** One sentence: the fault and the expected end. */
  readonly title: string;
  /** What to learn from a scenario in which volumes are held, and what an operator does next. */
  readonly lesson?: { readonly learn: string; readonly next: string };
  /** Injects the fault and waits for the expected consequences. @throws when they do not come. */
  play(run: ScenarioRun): Promise<void>;
  /** @returns each expectation that the outcome does not meet. */
  judge(outcome: Outcome, run: ScenarioRun): readonly string[];
}
