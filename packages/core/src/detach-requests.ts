import type { LostNode } from './cluster-view.ts';
import type { Policy, Strategy } from './policy.ts';

/** A strategy that can be carried out. */
export type DetachStrategy = Exclude<Strategy, 'auto'>;

/**
 * Remembers since when a detach has been asked for, by uid of the VolumeAttachment, to fall back to another way when it has
 * no effect. Losing it in a restart only starts that time anew.
 */
export class DetachRequests {
  readonly #sinceMs = new Map<string, number>();

  /** The detach has been asked for; what counts is the first time. */
  note(uid: string, nowMs: number): void {
    if (!this.#sinceMs.has(uid)) this.#sinceMs.set(uid, nowMs);
  }

  /** For how long it has been asked for, ms; 0 when it has not. */
  requestedForMs(uid: string, nowMs: number): number {
    return nowMs - (this.#sinceMs.get(uid) ?? nowMs);
  }

  retainOnly(uids: ReadonlySet<string>): void {
    for (const uid of this.#sinceMs.keys()) if (!uids.has(uid)) this.#sinceMs.delete(uid);
  }
}

/**
 * The way a volume leaves a node: as the policy says, but `delete` where there is no Node object to write to, and where
 * another way has had no effect for `detachTimeoutMs`.
 */
export function strategyFor(
  node: LostNode,
  requestedForMs: number,
  { strategy, detachTimeoutMs }: Pick<Policy, 'strategy' | 'detachTimeoutMs'>,
): DetachStrategy {
  if (node.kind === 'gone' || requestedForMs >= detachTimeoutMs) return 'delete';
  return strategy === 'auto' ? 'in-use' : strategy;
}
