import type { Decision } from '../decide/decide.ts';

/** For how long a verdict counts, ms: as long as the storage reading it may rest on. */
const MAX_AGE_MS = 5_000;

/**
 * Remembers which attachments were last decided to be released, whichever backend they are at. What touches several volumes of a
 * node at once (the delete of a pod, the out-of-service taint) is done only when all of them may go.
 */
export class ReleaseVerdicts {
  /** uid of the VolumeAttachment -> when it was decided to be released. */
  readonly #decidedAtMs = new Map<string, number>();

  /** A decision is as old as the request of the reading it rests on. */
  record(decisions: readonly Decision[]): void {
    for (const { attachment, verdict, evidence } of decisions) {
      if (verdict.kind === 'release') this.#decidedAtMs.set(attachment.uid, evidence.observedAtMs);
      else this.#decidedAtMs.delete(attachment.uid);
    }
  }

  isReleasable(uid: string, nowMs: number): boolean {
    const decidedAtMs = this.#decidedAtMs.get(uid);
    return decidedAtMs !== undefined && nowMs - decidedAtMs <= MAX_AGE_MS;
  }

  retainOnly(uids: ReadonlySet<string>): void {
    for (const uid of this.#decidedAtMs.keys()) if (!uids.has(uid)) this.#decidedAtMs.delete(uid);
  }
}
