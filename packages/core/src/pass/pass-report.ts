import type { Cleanup } from '../decide/cleanups.ts';
import type { Decision } from '../decide/decide.ts';
import type { Effect } from '../execute/effect.ts';
import type { Fence } from '../model/fence-record.ts';

/** The outcome of one pass. */
export interface PassReport {
  readonly nowMs: number;
  readonly reconcileId: string;
  /** About the affected attachments. Every other attachment is kept: its node is ready. */
  readonly decisions: readonly Decision[];
  /** How many of our attachments needed no decision because they are on ready nodes. Default 0. */
  readonly healthyCount?: number;
  /** A bug that the audit found: how the view kept between passes differed from the caches. The caches were used. */
  readonly viewDifference?: string;
  readonly cleanups: readonly Cleanup[];
  readonly effects: readonly Effect[];
  /** Fences of ours at every backend, as it was last read. */
  readonly fences: readonly { readonly backendName: string; readonly fence: Fence }[];
}

/** Called after every pass that completed some work, in order. Must not throw; a pass does not wait for it. */
export interface PassObserver {
  passed(report: PassReport, signal: AbortSignal): void;
}
