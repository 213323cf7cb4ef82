/** Why a pass ran. A closed set, so that it can be a metric attribute. */
export const TRIGGER_REASONS = [
  'startup',
  'periodic',
  'node-not-ready',
  'node-deleted',
  'attachment-changed',
  'storage-reconnected',
  'deadline',
  'retry',
  'manual',
] as const;

/** @see TRIGGER_REASONS */
export type TriggerReason = (typeof TRIGGER_REASONS)[number];

/** What NodeWatcher and other adapters need of the reconciler. */
export interface ReconcileTrigger {
  /** Asks for a pass. Synchronous, never throws, allowed at any time. */
  triggerReconcile(reason: TriggerReason): void;
}
