import { decisionsOf, type LostDecision } from '../execute/effect.ts';
import type { HoldReason } from '../model/hold-reason.ts';
import type { PassReport } from '../pass/pass-report.ts';

/** An attachment of a lost node that stays, and why. */
export interface Held {
  readonly decision: LostDecision;
  readonly reason: HoldReason;
  readonly why: string;
}

/** Decisions about our attachments on lost nodes; what other attachers leave behind is theirs. */
export function lostDecisionsIn({ decisions }: PassReport): LostDecision[] {
  return decisions.filter((decision): decision is LostDecision => decision.node.kind !== 'ready');
}

/** What stays as it was decided, or since what was decided could not be done. */
export function heldIn(report: PassReport): Held[] {
  const decided = lostDecisionsIn(report).flatMap((decision): Held[] => {
    const { verdict } = decision;
    return verdict.kind === 'hold' ? [{ decision, reason: verdict.reason, why: verdict.why }] : [];
  });
  const prevented = report.effects.flatMap((effect): Held[] => {
    if (effect.kind === 'postponed') return effect.decisions.map(held(effect.reason, effect.why));
    if (effect.kind !== 'failed' || effect.step !== 'fence') return [];
    const why = effect.err instanceof Error ? effect.err.message : String(effect.err);
    return effect.decisions.map(held('fence-failed', why));
  });
  return [...decided, ...prevented];
}

/** Lost attachments that no effect of the report is about, by uid: what was last reported about them still counts. */
export function untouchedIn(report: PassReport): ReadonlyMap<string, LostDecision> {
  const untouched = new Map(lostDecisionsIn(report).map((decision) => [decision.attachment.uid, decision]));
  for (const effect of report.effects) {
    for (const { attachment } of decisionsOf(effect)) untouched.delete(attachment.uid);
  }
  return untouched;
}

function held(reason: HoldReason, why: string): (decision: LostDecision) => Held {
  return (decision) => ({ decision, reason, why });
}
