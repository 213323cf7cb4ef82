import type { Verdict } from '../decide/rules.ts';
import type { LostDecision } from '../execute/effect.ts';
import type { HoldReason } from '../model/hold-reason.ts';
import type { PassReport } from '../pass/pass-report.ts';
import { type Held, heldIn, lostDecisionsIn, untouchedIn } from './held.ts';

/** What keeps a stale attachment: the reason of a hold, or a step in progress. */
export type StaleState = HoldReason | 'waiting' | 'fencing' | 'releasing';

/** The step in progress when the verdict is not a hold. */
export const STALE_STEPS: Readonly<Record<Exclude<Verdict['kind'], 'hold'>, StaleState>> = {
  keep: 'waiting',
  wait: 'waiting',
  fence: 'fencing',
  release: 'releasing',
};

/** The status of a stale attachment, and since when; epoch ms of this process's passes. */
export interface AttachmentStatus {
  readonly decision: LostDecision;
  readonly state: StaleState;
  /** Absent while it is not held. */
  readonly hold?: Pick<Held, 'reason' | 'why'> & {
    /** It was to be fenced or released, and could not be. */
    readonly isPrevented: boolean;
    /** Changes when another cause keeps the reason up; unlike `why` it holds no ages, because a new age alone is not reported. */
    readonly cause: string;
  };
  /** First pass that saw its node lost. */
  readonly detectedAtMs: number;
  /** Since when it has been held without a break, for whatever reason; absent while it is not held. */
  readonly heldSinceMs?: number;
  /** Since when it has stood in this state. */
  readonly sinceMs: number;
}

/** Every stale attachment of the report, by uid; times go on from `before`. Pure. */
export function statusesAfter(
  before: ReadonlyMap<string, AttachmentStatus>,
  report: PassReport,
): ReadonlyMap<string, AttachmentStatus> {
  const { nowMs } = report;
  const held = new Map(heldIn(report).map((each) => [each.decision.attachment.uid, each]));
  const untouched = untouchedIn(report);
  const entries = lostDecisionsIn(report).map((decision): [string, AttachmentStatus] => {
    const { uid } = decision.attachment;
    const last = before.get(uid);
    // The reason that prevented it counts until it has been tried again.
    const isKept = untouched.has(uid) && isStep(decision) && last?.hold?.isPrevented;
    const hold = isKept ? last.hold : holdOf(held.get(uid));
    const state = hold?.reason ?? stepOf(decision);
    return [
      uid,
      {
        decision,
        state,
        ...(hold && { hold }),
        detectedAtMs: last?.detectedAtMs ?? nowMs,
        ...(hold && { heldSinceMs: last?.heldSinceMs ?? nowMs }),
        sinceMs: last?.state === state ? last.sinceMs : nowMs,
      },
    ];
  });
  return new Map(entries);
}

function holdOf(held: Held | undefined): AttachmentStatus['hold'] {
  if (!held) return undefined;
  const { decision, reason, why } = held;
  return { reason, why, isPrevented: isStep(decision), cause: causeOf(held) };
}

function causeOf({ decision: { evidence, fence }, reason }: Held): string {
  if (reason === 'storage-unknown' && evidence.kind === 'unknown') return `${reason} ${evidence.reason}`;
  return reason === 'fence-failed' ? `${reason} ${fence.kind}` : reason;
}

function isStep({ verdict }: LostDecision): boolean {
  return verdict.kind === 'fence' || verdict.kind === 'release';
}

function stepOf({ verdict }: LostDecision): StaleState {
  return verdict.kind === 'hold' ? verdict.reason : STALE_STEPS[verdict.kind];
}
