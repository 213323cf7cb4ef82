import type { Clock } from '@reattach/core';
import type { ReadFile } from '../config/values.ts';

/** Everything a command uses of its environment. */
export interface CliIo {
  readonly stdout: (text: string) => void;
  readonly stderr: (text: string) => void;
  /** Standard output is a terminal. */
  readonly isTerminal: boolean;
  /** Clears the terminal, where there is one. */
  readonly clear?: () => void;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly readFile: ReadFile;
  readonly clock: Clock;
  /** Aborted by an interrupt. */
  readonly signal: AbortSignal;
  /** Asks the operator; `undefined` without a terminal. */
  readonly ask: (question: string) => Promise<string | undefined>;
}
