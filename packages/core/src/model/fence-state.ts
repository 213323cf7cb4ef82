import type { Fence } from './fence-record.ts';
import type { StorageAddress } from './storage-address.ts';

/**
 * Why a fence does not protect. `not-enforced`: the backend does not act on fences; `still-writing`: something of the node
 * gets past the fence; `quiesce-unproved`: nothing can prove any more that accepted writes have ended;
 * `unattributed-session`: a live session of no known node may be this node's.
 */
export const INEFFECTIVE_REASONS = [
  'not-enforced',
  'still-writing',
  'quiesce-unproved',
  'unattributed-session',
] as const;

/** @see INEFFECTIVE_REASONS */
export type IneffectiveReason = (typeof INEFFECTIVE_REASONS)[number];

/** How far a node is cut off from a backend, as the backend judges it from what it read. */
export type FenceState =
  /** The backend could not be read, or it is not known what to cut off. */
  | { readonly kind: 'unknown'; readonly why: string }
  /** It is not fenced, or not completely. `addresses`: what `fence()` must cut off. */
  | { readonly kind: 'open'; readonly addresses: readonly StorageAddress[]; readonly partial?: Fence }
  /** Cut off; writes accepted before may still be running. Judged again at `untilMs`. */
  | { readonly kind: 'quiescing'; readonly fence: Fence; readonly untilMs: number; readonly why: string }
  /** Waiting does not help: a person must act, `fix` says how. */
  | {
      readonly kind: 'ineffective';
      readonly reason: IneffectiveReason;
      readonly fence?: Fence;
      readonly why: string;
      readonly fix?: string;
      /** Nothing but the proof is missing: an operator may confirm instead that the machine is off and its writes have ended. */
      readonly acceptsConfirmation?: true;
    }
  /** No write of the node can land any more. `why` is the proof in words. */
  | { readonly kind: 'effective'; readonly fence: Fence; readonly why: string };
