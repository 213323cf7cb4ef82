import type { Cleanup } from '../decide/cleanups.ts';
import type { DetachStrategy } from '../execute/detach-requests.ts';
import { EFFECT_KINDS, RELEASE_STEPS } from '../execute/effect.ts';
import { HOLD_REASONS } from '../model/hold-reason.ts';
import type { InstrumentDefinition } from '../telemetry/instruments.ts';
import {
  ATTR_CLEANUP,
  ATTR_EFFECT,
  ATTR_HOLD_REASON,
  ATTR_NODE_STATE,
  ATTR_STEP,
  ATTR_STRATEGY,
} from '../telemetry/semconv.ts';
import { NODE_STATES } from '../view/cluster-view.ts';

const DETACH_STRATEGIES: readonly DetachStrategy[] = ['in-use', 'delete', 'out-of-service'];
const CLEANUPS: readonly Cleanup['kind'][] = ['unfence', 'keep-fence'];

const STALE_STATES = [...Object.keys(HOLD_REASONS), 'waiting', 'fencing', 'releasing'];

type InstrumentName =
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
  | 'fenceAge'
  | 'cutOffNodes';

/** Instruments that are fed from the reports of passes. */
export const REPORT_INSTRUMENTS: Readonly<Record<InstrumentName, InstrumentDefinition>> = {
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
    description: 'Attachments of lost nodes now, by what keeps them: a hold reason, or a step in progress.',
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
  cutOffNodes: {
    name: 'reattach.nodes.address_fenced',
    unit: '{node}',
    description: 'Nodes one of whose addresses is fenced for another node.',
    attributes: { [ATTR_NODE_STATE]: ['ready'] },
  },
};
