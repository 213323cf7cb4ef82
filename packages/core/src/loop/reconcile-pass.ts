import type { TriggerReason } from '../model/trigger-reason.ts';

/** The input of a pass. Time is taken once, so that every decision of the pass rests on the same moment. */
export interface PassContext {
  /** Everything that was asked for since the last pass started; never empty. */
  readonly reasons: ReadonlySet<TriggerReason>;
  /** Start of the pass, epoch ms. */
  readonly nowMs: number;
  /** Names this pass in logs and spans; unique within the process. */
  readonly reconcileId: string;
  /** Requests another pass; for work that outlasts this one, when it ends. Synchronous, never throws. */
  readonly wake: () => void;
}

/** What a pass leaves behind. */
export interface PassResult {
  /** The earliest moment at which something that waits becomes actionable, epoch ms; the loop wakes then. */
  readonly nextDeadlineMs?: number;
}

/** One level-based look at the world. Run again after any interruption, it must come to the same end. */
export interface ReconcilePass {
  /** @throws `signal.reason` when aborted; any other rejection is a failed pass, which is retried. */
  run(context: PassContext, signal: AbortSignal): Promise<PassResult>;
  /** Resolves once nothing that passes have started is in flight. Absent: every pass waits for its work. */
  settled?(): Promise<void>;
}
