import { type Counter, type Histogram, metrics, type ObservableResult } from '@opentelemetry/api';
import { EFFECT_KINDS } from '../effect.ts';
import { HOLD_REASONS } from '../hold-reason.ts';
import { TRIGGER_REASONS } from '../trigger-reason.ts';
import {
  ATTR_EFFECT,
  ATTR_HOLD_REASON,
  ATTR_RECONCILE_ACTION,
  ATTR_RECONCILE_RESULT,
  ATTR_RECOVERY,
  ATTR_STRATEGY,
  ATTR_TRIGGER_REASON,
} from './semconv.ts';

/** How a pass ended. `aborted`: stopped half-way, neither a success nor a failure. */
export const PASS_RESULTS = ['ok', 'failed', 'aborted'] as const;

/** @see PASS_RESULTS */
export type PassResultKind = (typeof PASS_RESULTS)[number];

/** What reconciling did besides running passes. */
export const RECONCILE_ACTIONS = ['node_watcher_trigger', 'untrack'] as const;

/** @see RECONCILE_ACTIONS */
export type ReconcileAction = (typeof RECONCILE_ACTIONS)[number];

/** One row of the table of instruments. */
export interface InstrumentDefinition {
  readonly name: string;
  readonly unit: string;
  readonly description: string;
  /** The one attribute of each measurement, with all its values. */
  readonly attribute: string;
  readonly values: readonly string[];
}

type InstrumentName =
  | 'reconcileDuration'
  | 'reconcilePasses'
  | 'reconcileActions'
  | 'triggerRequests'
  | 'effects'
  | 'releases'
  | 'releaseDelay'
  | 'holds'
  | 'staleAttachments'
  | 'fencesPresent';

/** Every instrument of this package. */
export const INSTRUMENTS: Readonly<Record<InstrumentName, InstrumentDefinition>> = {
  reconcileDuration: {
    name: 'reattach.attachment.reconcile.duration',
    unit: 's',
    description: 'Duration of reconcile passes.',
    attribute: ATTR_RECONCILE_RESULT,
    values: PASS_RESULTS,
  },
  reconcilePasses: {
    name: 'reattach.attachment.reconcile.passes',
    unit: '{pass}',
    description: 'Reconcile passes, by how they ended.',
    attribute: ATTR_RECONCILE_RESULT,
    values: PASS_RESULTS,
  },
  reconcileActions: {
    name: 'reattach.attachment.reconcile.actions',
    unit: '{action}',
    description: 'What reconciling did besides running passes, by kind of action.',
    attribute: ATTR_RECONCILE_ACTION,
    values: RECONCILE_ACTIONS,
  },
  triggerRequests: {
    name: 'reattach.trigger.requests',
    unit: '{request}',
    description: 'Requests for a reconcile pass, by reason; requests are coalesced into passes.',
    attribute: ATTR_TRIGGER_REASON,
    values: TRIGGER_REASONS,
  },
  effects: {
    name: 'reattach.effects',
    unit: '{effect}',
    description: 'What passes did or failed to do, by kind of effect.',
    attribute: ATTR_EFFECT,
    values: EFFECT_KINDS,
  },
  releases: {
    name: 'reattach.attachment.releases',
    unit: '{release}',
    description: 'Stale attachments released, by the way the volume left the node.',
    attribute: ATTR_STRATEGY,
    values: ['in-use', 'delete', 'out-of-service'],
  },
  releaseDelay: {
    name: 'reattach.attachment.release.delay',
    unit: 's',
    description: 'Time from the loss of a node, as Kubernetes reports it, to the release of its volume.',
    attribute: ATTR_STRATEGY,
    values: ['in-use', 'delete', 'out-of-service'],
  },
  holds: {
    name: 'reattach.attachment.holds',
    unit: '{hold}',
    description: 'Attachments of lost nodes that were newly held, by reason.',
    attribute: ATTR_HOLD_REASON,
    values: Object.keys(HOLD_REASONS),
  },
  staleAttachments: {
    name: 'reattach.attachment.stale',
    unit: '{attachment}',
    description: 'Attachments of lost nodes now, by what keeps them: a hold reason, or a step under way.',
    attribute: ATTR_HOLD_REASON,
    values: [...Object.keys(HOLD_REASONS), 'waiting', 'fencing', 'releasing'],
  },
  fencesPresent: {
    name: 'reattach.fences',
    unit: '{fence}',
    description: 'Fences of ours that stand at the boxes now, by whether the node may be let back.',
    attribute: ATTR_RECOVERY,
    values: ['unfence', 'keep-fence'],
  },
};

/** Seconds. A release takes 10 to 120 s from the loss of a node, mostly detection. A pass over 10,000 attachments takes 20 ms; one that waits for a storage box or an API server takes longer. */
const DURATION_BOUNDARIES = [
  0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 20, 30, 45, 60, 90, 120, 300,
];

const METER = '@reattach/core';

/**
 * Creates a counter that starts at 0 for each value of its attribute, so that a rate is right from the first scrape.
 * Called when the application composes, not on import: the meter of an SDK registered later would be missed.
 */
export function createCounter(definition: InstrumentDefinition): Counter {
  const { name, unit, description, attribute, values } = definition;
  const counter = metrics.getMeter(METER).createCounter(name, { unit, description });
  for (const value of values) counter.add(0, { [attribute]: value });
  return counter;
}

/** @see createCounter */
export function createDurationHistogram(definition: InstrumentDefinition): Histogram {
  const { name, unit, description } = definition;
  const advice = { explicitBucketBoundaries: DURATION_BOUNDARIES };
  return metrics.getMeter(METER).createHistogram(name, { unit, description, advice });
}

/** A gauge that is read from `values` at each collection: a value for each known attribute value, 0 where there is none. */
export function createGauge(
  definition: InstrumentDefinition,
  read: () => ReadonlyMap<string, number>,
): Disposable {
  const { name, unit, description, attribute, values } = definition;
  const gauge = metrics.getMeter(METER).createObservableGauge(name, { unit, description });
  const observe = (result: ObservableResult) => {
    const current = read();
    for (const value of values) result.observe(current.get(value) ?? 0, { [attribute]: value });
  };
  gauge.addCallback(observe);
  return { [Symbol.dispose]: () => gauge.removeCallback(observe) };
}
