import type { Policy, Strategy } from '../model/policy.ts';
import type { LostNode } from '../view/cluster-view.ts';
import type { Effect, LostDecision } from './effect.ts';

/** A strategy that can be carried out. */
export type DetachStrategy = Exclude<Strategy, 'auto'>;

type Released = Extract<Effect, { readonly kind: 'detach-requested' }>;

/** How a detach that was asked for relates to those before it. */
export type RequestOrder = 'first' | 'again' | 'other-way';

/**
 * Remembers since when and how a detach has been asked for, by uid of the VolumeAttachment, to fall back to another way when it
 * has no effect. A restart loses it, and the time starts again.
 */
export class DetachRequests {
  readonly #requests = new Map<string, { readonly sinceMs: number; readonly strategy: DetachStrategy }>();
  /** Asked for, but whether that was carried out is not known. */
  readonly #unconfirmed = new Map<string, Released>();

  /** The detach has been asked for; the time that counts is the first. */
  record(uid: string, strategy: DetachStrategy, nowMs: number): RequestOrder {
    const known = this.#requests.get(uid);
    this.#requests.set(uid, { sinceMs: known?.sinceMs ?? nowMs, strategy });
    this.#unconfirmed.delete(uid);
    if (!known) return 'first';
    return known.strategy === strategy ? 'again' : 'other-way';
  }

  /** The detach was sent, and no answer came: should the volume have gone, that was us. */
  recordUnconfirmed(decision: LostDecision, strategy: DetachStrategy): void {
    const { uid } = decision.attachment;
    if (!this.#requests.has(uid))
      this.#unconfirmed.set(uid, { kind: 'detach-requested', decision, strategy });
  }

  isUnconfirmed(uid: string): boolean {
    return this.#unconfirmed.has(uid);
  }

  /**
   * Releases whose outcome was unknown and whose attachments are gone. Each is returned once.
   * @param existing uids of all VolumeAttachments; called when needed
   */
  takeConfirmed(existing: () => Iterable<string>): readonly Released[] {
    if (this.#unconfirmed.size === 0) return [];
    const left = new Set(existing());
    const gone = [...this.#unconfirmed].filter(([uid]) => !left.has(uid));
    for (const [uid] of gone) this.#unconfirmed.delete(uid);
    return gone.map(([, released]) => released);
  }

  /** For how long it has been asked for, ms; 0 when it has not. */
  requestedForMs(uid: string, nowMs: number): number {
    return nowMs - (this.#requests.get(uid)?.sinceMs ?? nowMs);
  }

  retainOnly(uids: ReadonlySet<string>): void {
    for (const uid of this.#requests.keys()) if (!uids.has(uid)) this.#requests.delete(uid);
    for (const uid of this.#unconfirmed.keys()) if (!uids.has(uid)) this.#unconfirmed.delete(uid);
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
