import type { PackedPackage } from './packed-package.ts';

export interface StepContext {
  /** Root of the repository. */
  readonly root: string;
  /** An empty folder that is removed at the end. */
  readonly scratch: string;
  readonly packages: readonly PackedPackage[];
}

/** One check. `run` resolves with what it found, for people, and rejects with every problem in the message. */
export interface Step {
  readonly name: string;
  run(context: StepContext): Promise<string>;
}

/** @throws {Error} that lists the problems, when there are any */
export function refuse(problems: readonly string[]): void {
  if (problems.length > 0) throw new Error(problems.map((problem) => `- ${problem}`).join('\n'));
}
