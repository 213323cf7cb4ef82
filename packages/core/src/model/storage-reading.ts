import type { Fence } from './fence-record.ts';
import type { FenceState } from './fence-state.ts';
import type { StorageAddress } from './storage-address.ts';

/** Why a backend cannot say whether a node still talks to it. */
export const UNKNOWN_REASONS = {
  'no-storage-reading': 'the backend has not been read about this node',
  'no-such-backend': 'the volume names a backend that is not configured',
  'backend-unreachable': 'the backend could not be read',
  'output-not-understood': 'the reply of the backend was not understood',
  'not-observable': 'the backend is set up so that it does not see every session',
  'no-address': 'no address is known by which the backend could know the node',
  'never-seen-live': 'the node was never seen talking to the backend',
  'no-live-peer':
    'no other host is live in the same reading, so the backend may have stopped seeing sessions',
  'unattributed-session': 'a live session of no known node may be this node',
  'long-cadence': 'the node was silent for as long before, and then spoke again',
  'still-written': 'a volume that only this node may write to is being written to',
  'volume-not-found': 'the backend does not export the volume',
} as const;

/** @see UNKNOWN_REASONS */
export type UnknownReason = keyof typeof UNKNOWN_REASONS;

/** What a backend says about one node, when, and what proves it. */
export type NodeEvidence =
  | {
      /** The node talked to the backend, or nothing proves that it did not. */
      readonly kind: 'live';
      readonly observedAtMs: number;
      readonly lastActivityMs: number;
      readonly detail: string;
    }
  | {
      /** Nothing came from the node for longer than any silence it has survived, in a reading that would have shown it. */
      readonly kind: 'silent';
      readonly observedAtMs: number;
      /** When the silence began: the latest moment at which the node may have spoken. */
      readonly silentSinceMs: number;
      readonly lastActivityMs?: number;
      readonly detail: string;
    }
  | {
      readonly kind: 'unknown';
      readonly observedAtMs: number;
      readonly reason: UnknownReason;
      readonly detail: string;
    };

/** A live session at the backend that no node of the query accounts for. */
export interface UnattributedSession {
  readonly address: StorageAddress;
  readonly lastActivityMs: number;
}

/** Whether the backend really cuts off what is fenced. */
export type Enforcement =
  | { readonly kind: 'enforced' }
  /** `fix`: the command that sets it up. */
  | { readonly kind: 'not-enforced'; readonly detail: string; readonly fix?: string };

/** One reading of one backend. Parts that could not be read are absent. */
export interface StorageReading {
  /** When the reading was requested, epoch ms: what happened later may be missing from it. */
  readonly observedAtMs: number;
  /** By node name, for each suspect. */
  readonly evidence: ReadonlyMap<string, NodeEvidence>;
  /** By node name, for each suspect; a suspect that is missing could not be judged. */
  readonly fenceStates: ReadonlyMap<string, FenceState>;
  /** How many hosts were live in this reading, nodes or not. */
  readonly liveHosts?: number;
  /** Empty when the query named no node: nothing could be attributed. */
  readonly unattributed: readonly UnattributedSession[];
  /** All fences of Reattach, also those of other clusters and owners. */
  readonly fences?: readonly Fence[];
  readonly enforcement?: Enforcement;
  /** Handles of the suspects' volumes that the backend exports. */
  readonly volumes?: ReadonlySet<string>;
  /** What was skipped because it was not understood, in words: rows that cannot concern us. */
  readonly skipped?: readonly string[];
}
