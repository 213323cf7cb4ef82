import type { BackendKind } from '../world/lab-backend.ts';
import type { Stage } from '../world/stage.ts';

/** A fault on real machines and what must follow. */
export interface Scenario {
  readonly name: string;
  /** One sentence: what happens and what must come of it. */
  readonly title: string;
  /** Hosts reach the target over two addresses. */
  readonly twoPaths?: boolean;
  /** At this kind of backend nothing proves that the writes have ended: the attachment must be held. */
  readonly heldAt?: BackendKind;
  /** The scenario takes the protection away: it must show overwrites. */
  readonly showsOverwrites?: true;
  /** Injects the fault and waits for what must follow. @throws {Error} when it does not */
  play(stage: Stage): Promise<void>;
}

/** The host that holds volume 1, and whose fault the scenarios are about. */
export const VICTIM = 'node-a';

/** Longer than a host takes to reconnect and to write its dirty pages back. */
export const REPLAY_MS = 30_000;
