import { createCounter } from '../telemetry/instruments.ts';
import { ATTR_RECONCILE_ACTION } from '../telemetry/semconv.ts';
import { RECONCILE_INSTRUMENTS, type ReconcileAction } from './reconcile-instruments.ts';

/** Where adapters such as NodeWatcher record what they did. */
export interface ReconcileMetrics {
  /** Never throws. */
  recordAction(action: ReconcileAction): void;
}

/** Records to OpenTelemetry, as `reattach.attachment.reconcile.actions`. Call it once the SDK, if any, is registered. */
export function createReconcileMetrics(): ReconcileMetrics {
  const actions = createCounter(RECONCILE_INSTRUMENTS.reconcileActions);
  return { recordAction: (action) => actions.add(1, { [ATTR_RECONCILE_ACTION]: action }) };
}
