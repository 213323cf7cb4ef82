import { createCounter, INSTRUMENTS, type ReconcileAction } from './telemetry/instruments.ts';

/** Where adapters such as NodeWatcher record what they did. */
export interface ReconcileMetrics {
  /** Never throws. */
  recordAction(action: ReconcileAction): void;
}

/** Records to OpenTelemetry, as `reattach.attachment.reconcile.actions`. Call it once the SDK, if any, is registered. */
export function createReconcileMetrics(): ReconcileMetrics {
  const { attribute } = INSTRUMENTS.reconcileActions;
  const actions = createCounter(INSTRUMENTS.reconcileActions);
  return { recordAction: (action) => actions.add(1, { [attribute]: action }) };
}
