import { TRIGGER_REASONS } from '../model/trigger-reason.ts';
import type { InstrumentDefinition } from '../telemetry/instruments.ts';
import { ATTR_RECONCILE_ACTION, ATTR_RECONCILE_RESULT, ATTR_TRIGGER_REASON } from '../telemetry/semconv.ts';

/** How a pass ended. `aborted`: stopped half-way, neither a success nor a failure. */
export const PASS_RESULTS = ['ok', 'failed', 'aborted'] as const;

/** @see PASS_RESULTS */
export type PassResultKind = (typeof PASS_RESULTS)[number];

/** What reconciling did besides running passes. */
export const RECONCILE_ACTIONS = ['node_watcher_trigger', 'untrack'] as const;

/** @see RECONCILE_ACTIONS */
export type ReconcileAction = (typeof RECONCILE_ACTIONS)[number];

type InstrumentName = 'reconcileDuration' | 'reconcilePasses' | 'reconcileActions' | 'triggerRequests';

/** Instruments of the loop. */
export const RECONCILE_INSTRUMENTS: Readonly<Record<InstrumentName, InstrumentDefinition>> = {
  reconcileDuration: {
    name: 'reattach.attachment.reconcile.duration',
    unit: 's',
    description: 'Duration of reconcile passes.',
    attributes: { [ATTR_RECONCILE_RESULT]: PASS_RESULTS },
  },
  reconcilePasses: {
    name: 'reattach.attachment.reconcile.passes',
    unit: '{pass}',
    description: 'Reconcile passes, by what asked for them first and how they ended.',
    attributes: { [ATTR_TRIGGER_REASON]: TRIGGER_REASONS, [ATTR_RECONCILE_RESULT]: PASS_RESULTS },
  },
  reconcileActions: {
    name: 'reattach.attachment.reconcile.actions',
    unit: '{action}',
    description: 'What reconciling did besides running passes, by kind of action.',
    attributes: { [ATTR_RECONCILE_ACTION]: RECONCILE_ACTIONS },
  },
  triggerRequests: {
    name: 'reattach.trigger.requests',
    unit: '{request}',
    description: 'Requests for a reconcile pass, by reason; requests are coalesced into passes.',
    attributes: { [ATTR_TRIGGER_REASON]: TRIGGER_REASONS },
  },
};
