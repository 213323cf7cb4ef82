import type { Stage } from './stage.ts';
import type { Summary } from './story.ts';

/** What a run came to, before it is judged. */
export type Outcome = Omit<Summary, 'kind' | 'scenario' | 'ok' | 'problems'>;

/** A fault, what must follow, and what must not. */
export interface Scenario {
  readonly name: string;
  /** One sentence: what happens and what must come of it. */
  readonly title: string;
  readonly mode: 'observe' | 'release' | 'fence';
  /** More flags of the controller. */
  readonly flags?: readonly string[];
  /** Replicas of the controller; default 1. */
  readonly controllers?: number;
  /** Injects the fault and waits for what must follow. @throws when it does not. */
  play(stage: Stage): Promise<void>;
  /** What of the outcome is not as it must be. */
  judge(outcome: Outcome, stage: Stage): readonly string[];
}
