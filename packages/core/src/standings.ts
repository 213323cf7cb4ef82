import type { LostDecision } from './effect.ts';
import { lostDecisionsIn } from './held.ts';
import type { HoldReason } from './hold-reason.ts';
import type { PassReport } from './release-pass.ts';

/** What keeps a stale attachment: the reason of a hold, or a step under way. */
export type StaleState = HoldReason | 'waiting' | 'fencing' | 'releasing';

/** How long a stale attachment has been known, and has stood as it does; epoch ms of this process's passes. */
export interface Standing {
  readonly decision: LostDecision;
  readonly state: StaleState;
  /** First pass that saw its node lost. */
  readonly detectedAtMs: number;
  /** Since when it has been held without a break, for whatever reason; absent while it is not held. */
  readonly heldSinceMs?: number;
}

/** Every stale attachment of the report, by uid; times go on from `before`. Pure. */
export function standingsAfter(
  before: ReadonlyMap<string, Standing>,
  report: PassReport,
  held: ReadonlyMap<string, HoldReason>,
): ReadonlyMap<string, Standing> {
  const { nowMs } = report;
  const entries = lostDecisionsIn(report).map((decision): [string, Standing] => {
    const { uid } = decision.attachment;
    const last = before.get(uid);
    const reason = held.get(uid);
    const state = reason ?? stateOf(decision);
    return [
      uid,
      {
        decision,
        state,
        detectedAtMs: last?.detectedAtMs ?? nowMs,
        ...(reason !== undefined && { heldSinceMs: last?.heldSinceMs ?? nowMs }),
      },
    ];
  });
  return new Map(entries);
}

function stateOf({ verdict }: LostDecision): StaleState {
  if (verdict.kind === 'hold') return verdict.reason;
  const states = { keep: 'waiting', wait: 'waiting', fence: 'fencing', release: 'releasing' } as const;
  return states[verdict.kind];
}
