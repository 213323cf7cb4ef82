import { describe, expect, it } from 'vitest';
import { RecordingTelemetry } from '../testing/recording-telemetry.ts';
import { createReconcileMetrics } from './reconcile-metrics.ts';

describe('createReconcileMetrics', () => {
  it('counts actions by kind, from 0', () => {
    using telemetry = new RecordingTelemetry();
    const metrics = createReconcileMetrics();
    const total = (action: string) =>
      telemetry.total('reattach.attachment.reconcile.actions', { 'reattach.reconcile.action': action });
    expect([total('node_watcher_trigger'), total('untrack')]).toEqual([0, 0]);
    metrics.recordAction('node_watcher_trigger');
    metrics.recordAction('node_watcher_trigger');
    expect([total('node_watcher_trigger'), total('untrack')]).toEqual([2, 0]);
  });

  it('does nothing without an SDK', () => {
    expect(() => createReconcileMetrics().recordAction('untrack')).not.toThrow();
  });
});
