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

  /** @returns since when the detach has been asked for: now, the first time. */
  note(uid: string, nowMs: number): number {
    const sinceMs = this.#sinceMs.get(uid) ?? nowMs;
    this.#sinceMs.set(uid, sinceMs);
    return sinceMs;
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
