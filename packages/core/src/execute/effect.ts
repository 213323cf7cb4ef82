import type { Cleanup } from '../decide/cleanups.ts';
import type { Decision } from '../decide/decide.ts';
import type { PodFact } from '../model/facts.ts';
import type { FenceRecord } from '../model/fence-record.ts';
import type { StorageAddress } from '../model/storage-address.ts';
import type { LostNode } from '../view/cluster-view.ts';
import type { DetachStrategy } from './detach-requests.ts';

/** Steps of a release that can fail, in their order. */
export const RELEASE_STEPS = ['fence', 'add-fenced-taint', 'delete-pod', 'detach'] as const;

/** @see RELEASE_STEPS */
export type ReleaseStep = (typeof RELEASE_STEPS)[number];

/** A decision about a lost node. */
export type LostDecision = Decision & { readonly node: LostNode };

/** What carrying out a plan did, for logs, Events, metrics and tests. */
export type Effect =
  | {
      readonly kind: 'fenced';
      readonly decisions: readonly LostDecision[];
      readonly fence: FenceRecord;
      readonly addresses: readonly StorageAddress[];
      /** The backend had no fence of the machine before: nothing can have been released behind an earlier one. */
      readonly isFirst: boolean;
    }
  | { readonly kind: 'pod-deleted'; readonly decisions: readonly LostDecision[]; readonly pod: PodFact }
  /** The detach was asked for, for the first time. */
  | { readonly kind: 'detach-requested'; readonly decision: LostDecision; readonly strategy: DetachStrategy }
  /** It had been asked for in another way, which had no effect for `detachTimeoutMs`. */
  | { readonly kind: 'fell-back'; readonly decision: LostDecision; readonly strategy: DetachStrategy }
  /** It had been asked for before; the attach-detach controller has not finished. */
  | { readonly kind: 'detaching'; readonly decision: LostDecision; readonly strategy: DetachStrategy }
  /** The facts are no longer those of the decision: nothing was written, the next pass decides afresh. */
  | { readonly kind: 'superseded'; readonly decisions: readonly LostDecision[]; readonly why: string }
  /**
   * `sibling-held`: something of ours on the node may not go yet, and what has to be done first would drive it off, too.
   * `pod-stays`: a pod that uses the volume does not go.
   */
  | {
      readonly kind: 'postponed';
      readonly decisions: readonly LostDecision[];
      readonly reason: 'sibling-held' | 'pod-stays';
      readonly why: string;
    }
  | {
      readonly kind: 'failed';
      readonly step: ReleaseStep;
      readonly decisions: readonly LostDecision[];
      readonly err: unknown;
    }
  | {
      readonly kind: 'unfenced' | 'untainted' | 'fenced-taint-added' | 'fenced-taint-removed';
      readonly cleanup: Cleanup;
    }
  /** A fence that another party had removed or weakened is in force again. */
  | {
      readonly kind: 'fence-restored';
      readonly backendName: string;
      readonly fence: FenceRecord;
      readonly why: string;
    }
  /** A fence that another party had removed is not needed, because its node was proved clean meanwhile. */
  | {
      readonly kind: 'fence-forgotten';
      readonly backendName: string;
      readonly fence: FenceRecord;
      readonly why: string;
    }
  | {
      readonly kind: 'restore-failed';
      readonly backendName: string;
      readonly fence: FenceRecord;
      readonly why: string;
      readonly err: unknown;
    }
  | { readonly kind: 'cleanup-failed'; readonly cleanup: Cleanup; readonly err: unknown };

/** The decisions an effect is about; none for a cleanup. */
export function decisionsOf(effect: Effect): readonly LostDecision[] {
  if ('decisions' in effect) return effect.decisions;
  return 'decision' in effect ? [effect.decision] : [];
}

/** Every kind of effect, for metrics. */
export const EFFECT_KINDS: readonly Effect['kind'][] = [
  'fenced',
  'pod-deleted',
  'detach-requested',
  'fell-back',
  'detaching',
  'superseded',
  'postponed',
  'failed',
  'unfenced',
  'untainted',
  'fenced-taint-added',
  'fenced-taint-removed',
  'fence-restored',
  'fence-forgotten',
  'restore-failed',
  'cleanup-failed',
];
