import type { Stage } from '../world/stage.ts';

/** A fault on real machines and what must follow. */
export interface Scenario {
  readonly name: string;
  /** One sentence: what happens and what must come of it. */
  readonly title: string;
  /** Hosts reach the target over two addresses. */
  readonly twoPaths?: boolean;
  /** Injects the fault and waits for what must follow. @throws {Error} when it does not */
  play(stage: Stage): Promise<void>;
}

/** The host that holds volume 1, and whose fault the scenarios are about. */
export const VICTIM = 'node-a';

/** Longer than a host takes to reconnect and to write its dirty pages back. */
export const REPLAY_MS = 30_000;
