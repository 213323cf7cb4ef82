import {
  type Attributes,
  type Counter,
  type Histogram,
  metrics,
  type ObservableResult,
} from '@opentelemetry/api';
import type { Cleanup } from '../decide/cleanups.ts';
import type { DetachStrategy } from '../execute/detach-requests.ts';
import { EFFECT_KINDS, RELEASE_STEPS } from '../execute/effect.ts';
import { HOLD_REASONS } from '../model/hold-reason.ts';
import { TRIGGER_REASONS } from '../model/trigger-reason.ts';
import { NODE_STATES } from '../view/cluster-view.ts';
import {
  ATTR_CLEANUP,
  ATTR_EFFECT,
  ATTR_HOLD_REASON,
  ATTR_NODE_STATE,
  ATTR_RECONCILE_ACTION,
  ATTR_RECONCILE_RESULT,
  ATTR_STEP,
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
  /** Every attribute of a measurement, with all the values it can have. */
  readonly attributes: Readonly<Record<string, readonly string[]>>;
}

type InstrumentName =
  | 'reconcileDuration'
  | 'reconcilePasses'
  | 'reconcileActions'
  | 'triggerRequests'
  | 'effects'
  | 'releases'
  | 'releaseDelay'
  | 'releaseDuration'
  | 'releaseFailures'
  | 'holds'
  | 'attachments'
  | 'staleAttachments'
  | 'staleAge'
  | 'heldAge'
  | 'fencesPresent'
  | 'fenceAge';

const DETACH_STRATEGIES: readonly DetachStrategy[] = ['in-use', 'delete', 'out-of-service'];
const CLEANUPS: readonly Cleanup['kind'][] = ['unfence', 'keep-fence'];

const STALE_STATES = [...Object.keys(HOLD_REASONS), 'waiting', 'fencing', 'releasing'];

/** Every instrument of this package. */
export const INSTRUMENTS: Readonly<Record<InstrumentName, InstrumentDefinition>> = {
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
  effects: {
    name: 'reattach.effects',
    unit: '{effect}',
    description: 'What passes did or failed to do, by kind of effect.',
    attributes: { [ATTR_EFFECT]: EFFECT_KINDS },
  },
  releases: {
    name: 'reattach.attachment.releases',
    unit: '{release}',
    description: 'Stale attachments released, by the way the volume left the node.',
    attributes: { [ATTR_STRATEGY]: DETACH_STRATEGIES },
  },
  releaseDelay: {
    name: 'reattach.attachment.release.delay',
    unit: 's',
    description: 'Time from the loss of a node, as Kubernetes reports it, to the release of its volume.',
    attributes: { [ATTR_STRATEGY]: DETACH_STRATEGIES },
  },
  releaseDuration: {
    name: 'reattach.attachment.release.duration',
    unit: 's',
    description:
      'Time from the first pass of this process that saw a node lost to the release of its volume.',
    attributes: { [ATTR_STRATEGY]: DETACH_STRATEGIES },
  },
  releaseFailures: {
    name: 'reattach.attachment.release.failures',
    unit: '{failure}',
    description: 'Failed steps of releases, repetitions included; the next pass tries again.',
    attributes: { [ATTR_STEP]: RELEASE_STEPS },
  },
  holds: {
    name: 'reattach.attachment.holds',
    unit: '{hold}',
    description: 'Attachments of lost nodes that were newly held, by reason.',
    attributes: { [ATTR_HOLD_REASON]: Object.keys(HOLD_REASONS) },
  },
  attachments: {
    name: 'reattach.attachments',
    unit: '{attachment}',
    description: 'Attachments of our attacher now, by the state of their node.',
    attributes: { [ATTR_NODE_STATE]: NODE_STATES },
  },
  staleAttachments: {
    name: 'reattach.attachment.stale',
    unit: '{attachment}',
    description: 'Attachments of lost nodes now, by what keeps them: a hold reason, or a step under way.',
    attributes: { [ATTR_HOLD_REASON]: STALE_STATES },
  },
  staleAge: {
    name: 'reattach.attachment.stale.age',
    unit: 's',
    description:
      'Longest time since the node of a stale attachment was first seen lost, by what keeps the attachment now; 0 when there is none.',
    attributes: { [ATTR_HOLD_REASON]: STALE_STATES },
  },
  heldAge: {
    name: 'reattach.attachment.held.age',
    unit: 's',
    description:
      'Longest time for which a stale attachment has been held without a break, by the reason it is held for now; 0 when there is none.',
    attributes: { [ATTR_HOLD_REASON]: Object.keys(HOLD_REASONS) },
  },
  fencesPresent: {
    name: 'reattach.fences',
    unit: '{fence}',
    description: 'Fences of ours at the backends, as last read, by whether the node may be let back.',
    attributes: { [ATTR_CLEANUP]: CLEANUPS },
  },
  fenceAge: {
    name: 'reattach.fence.age',
    unit: 's',
    description:
      'Age of the oldest fence of ours, by whether the node may be let back; 0 when there is none.',
    attributes: { [ATTR_CLEANUP]: CLEANUPS },
  },
};

/** Seconds. A release takes 10 to 120 s from the loss of a node, mostly detection. A pass over 10,000 attachments takes 20 ms; one that waits for a storage backend or an API server takes longer. */
const DURATION_BOUNDARIES = [
  0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 20, 30, 45, 60, 90, 120, 300,
];

const METER = '@reattach/core';

/**
 * Creates a counter that starts at 0 for each value of its attribute, so that a rate is right from the first scrape.
 * Called when the application composes, not on import: the meter of an SDK registered later would be missed.
 */
export function createCounter(definition: InstrumentDefinition): Counter {
  const { name, unit, description, attributes } = definition;
  const counter = metrics.getMeter(METER).createCounter(name, { unit, description });
  for (const each of combinations(attributes)) counter.add(0, each);
  return counter;
}

/** `{ a: ['1', '2'], b: ['3'] }` -> `{ a: '1', b: '3' }`, `{ a: '2', b: '3' }`. */
function combinations(values: InstrumentDefinition['attributes']): readonly Attributes[] {
  return Object.entries(values).reduce<Attributes[]>(
    (all, [key, each]) => all.flatMap((one) => each.map((value) => ({ ...one, [key]: value }))),
    [{}],
  );
}

/** @see createCounter */
export function createDurationHistogram(definition: InstrumentDefinition): Histogram {
  const { name, unit, description } = definition;
  const advice = { explicitBucketBoundaries: DURATION_BOUNDARIES };
  return metrics.getMeter(METER).createHistogram(name, { unit, description, advice });
}

/** A gauge of one attribute that is read at each collection: a value for each known attribute value, 0 where there is none. */
export function createGauge(
  definition: InstrumentDefinition,
  read: () => ReadonlyMap<string, number>,
): Disposable {
  const { name, unit, description, attributes } = definition;
  const gauge = metrics.getMeter(METER).createObservableGauge(name, { unit, description });
  const observe = (result: ObservableResult) => {
    const current = read();
    for (const [attribute, values] of Object.entries(attributes)) {
      for (const value of values) result.observe(current.get(value) ?? 0, { [attribute]: value });
    }
  };
  gauge.addCallback(observe);
  return { [Symbol.dispose]: () => gauge.removeCallback(observe) };
}
