import { staleCacheReason } from '../model/cache-freshness.ts';
import type { Taint } from '../model/facts.ts';
import type { FenceState, IneffectiveReason } from '../model/fence-state.ts';
import type { HoldReason } from '../model/hold-reason.ts';
import { isOtherActor } from '../model/out-of-service.ts';
import type { Policy } from '../model/policy.ts';
import type { NodeEvidence } from '../model/storage-reading.ts';
import { type AttachmentView, type ClusterView, type NodeState, nodeFactOf } from '../view/cluster-view.ts';
import { migrationOf } from '../view/live-migration.ts';
import { isDeclaredClean, namesFence } from './clean-proof.ts';

/** What a rule says. `why` is for people; it may hold ages and addresses. */
export type Verdict =
  | { readonly kind: 'keep'; readonly why: string }
  | { readonly kind: 'wait'; readonly untilMs: number; readonly why: string }
  | { readonly kind: 'hold'; readonly reason: HoldReason; readonly why: string; readonly would?: Verdict }
  | { readonly kind: 'fence'; readonly why: string }
  | { readonly kind: 'release'; readonly why: string };

/** One attachment with every fact that may decide it. */
export interface RuleInput extends Omit<AttachmentView, 'backend'> {
  readonly node: NodeState;
  readonly evidence: NodeEvidence;
  /** The node's fence at the backend that holds the volume. */
  readonly fence: FenceState;
  readonly otherAttachers: ReadonlySet<string>;
  readonly cache: ClusterView['cache'];
  /** Why too many nodes were lost at once; absent when they were not. */
  readonly massFailure: string | undefined;
  /** Who else claims an address of the node, in words. */
  readonly addressConflict: string | undefined;
  readonly policy: Policy;
  readonly nowMs: number;
}

/** A rule decides a case or leaves it to the next. */
export interface Rule {
  readonly name: string;
  /** What it decides, for the table of the README. */
  readonly says: string;
  readonly decide: (c: RuleInput) => Verdict | undefined;
}

/**
 * The rules in their order; the first that says something wins.
 * @see design section 4: its eleven rules, with `volume-known`, `detach-under-way` and `other-drivers` between them
 */
export const RULES: readonly Rule[] = [
  {
    name: 'cache-fresh',
    decide: cacheFresh,
    says: 'hold `cache-stale` unless every cache is synced and at most `maxCacheAgeMs` old',
  },
  { name: 'attacher-ours', decide: attacherOurs, says: 'keep the attachments of other attachers' },
  {
    name: 'no-mass-failure',
    decide: noMassFailure,
    says: 'hold `mass-failure` when too many nodes were lost within one window',
  },
  {
    name: 'no-other-actor',
    decide: noOtherActor,
    says: 'hold `other-actor` under an out-of-service taint of another owner, or a medik8s or podmon taint',
  },
  {
    name: 'node-lost',
    decide: nodeLost,
    says: 'keep while the Node is Ready, also one that was created again under its name',
  },
  {
    name: 'no-migration',
    decide: noMigration,
    says: 'wait while the volume is in a live migration that may still finish',
  },
  {
    name: 'grace-over',
    decide: graceOver,
    says: 'wait for `gracePeriodMs`, or for `silentGraceMs` of proved silence',
  },
  {
    name: 'volume-known',
    decide: volumeKnown,
    says: 'hold `volume-unknown` for inline volumes, unknown PersistentVolumes and those of other drivers',
  },
  {
    name: 'detach-under-way',
    decide: detachUnderWay,
    says: 'wait for external-attacher, then hold `attacher-stuck`',
  },
  {
    name: 'addresses-own',
    decide: addressesOwn,
    says: 'hold `address-conflict` when another node, a backend, the API server or the controller claims an address of the node',
  },
  {
    name: 'storage-known',
    decide: storageKnown,
    says: 'hold `storage-unknown` unless the backend said live or silent',
  },
  { name: 'other-drivers', decide: otherDrivers, says: 'hold `other-drivers` where the policy says so' },
  { name: 'mode-observe', decide: modeObserve, says: 'hold `dry-run`, with what mode `fence` would do' },
  {
    name: 'mode-fence',
    decide: modeFence,
    says: 'not fenced: fence; effective: release; quiescing: wait; ineffective: hold with the reason; excluded: hold `fence-excluded`',
  },
];

function cacheFresh({ cache, policy, nowMs }: RuleInput): Verdict | undefined {
  const stale = staleCacheReason(cache, policy.maxCacheAgeMs, nowMs);
  return stale === undefined ? undefined : hold('cache-stale', stale);
}

function attacherOurs({ attachment, policy }: RuleInput): Verdict | undefined {
  if (attachment.attacher === policy.attacher) return undefined;
  return { kind: 'keep', why: `Attacher ${attachment.attacher} is not ours` };
}

function noMassFailure({ massFailure }: RuleInput): Verdict | undefined {
  return massFailure === undefined ? undefined : hold('mass-failure', massFailure);
}

function noOtherActor({ node, policy }: RuleInput): Verdict | undefined {
  const isOthers = (taint: Taint) => isOtherActor(taint, policy.attacher);
  const taint = nodeFactOf(node)?.taints.find(isOthers);
  if (!taint) return undefined;
  return hold('other-actor', `Taint ${taint.key} says that another actor is recovering the node`);
}

/**
 * A Node that is Ready is kept, also a re-created one: the same host may have registered again. One whose Lease went stale
 * counts as lost only where the backend proves it silent and a fence will prove it cut off.
 */
function nodeLost({ node, evidence }: RuleInput): Verdict | undefined {
  if (node.kind === 'ready') return { kind: 'keep', why: 'Node is ready' };
  if (node.kind !== 'lease-stale') return undefined;
  if (evidence.kind === 'silent') return undefined;
  return { kind: 'keep', why: `Node is ready; its Lease is stale, but the backend says ${evidence.kind}` };
}

function noMigration(c: RuleInput): Verdict | undefined {
  const why = migrationOf(c, c, c.nowMs);
  if (why === undefined) return undefined;
  const untilMs = Math.max(c.migrationUntilMs ?? 0, c.nowMs + (c.vmMigrating ? c.policy.suspectPollMs : 0));
  return { kind: 'wait', untilMs, why };
}

/**
 * The grace counts from the loss; proved silence shortens it, once the silence has itself lasted `silentGraceMs`. A stale
 * Lease alone does not count as a loss, however old: only silence counts there.
 */
function graceOver({ node, evidence, policy, nowMs }: RuleInput): Verdict | undefined {
  if (node.kind === 'ready') return undefined;
  const fullMs = node.kind === 'lease-stale' ? Number.POSITIVE_INFINITY : node.sinceMs + policy.gracePeriodMs;
  const silentMs =
    evidence.kind === 'silent'
      ? Math.max(node.sinceMs, evidence.silentSinceMs) + policy.silentGraceMs
      : Number.POSITIVE_INFINITY;
  const untilMs = Math.min(fullMs, silentMs);
  if (nowMs >= untilMs) return undefined;
  return { kind: 'wait', untilMs, why: `Node has been ${lostFor(node, nowMs)}, less than its grace` };
}

/** An inline volume, a volume we cannot see or one of another driver: nothing proves whose data it is. */
function volumeKnown({ attachment, volume, policy }: RuleInput): Verdict | undefined {
  const name = attachment.persistentVolumeName;
  if (name === undefined) return hold('volume-unknown', 'VolumeAttachment has an inline volume');
  if (!volume) return hold('volume-unknown', `PersistentVolume ${name} is not known`);
  if (volume.driver !== policy.attacher || volume.volumeHandle === undefined) {
    return hold(
      'volume-unknown',
      `PersistentVolume ${name} is of driver ${volume.driver ?? 'none'}, not ours`,
    );
  }
  return undefined;
}

/** A delete that was accepted is external-attacher's to finish; its finalizer is never touched. */
function detachUnderWay({ attachment, policy, nowMs }: RuleInput): Verdict | undefined {
  if (attachment.deletingSinceMs === undefined) return undefined;
  const untilMs = attachment.deletingSinceMs + policy.detachTimeoutMs;
  if (nowMs < untilMs) return { kind: 'wait', untilMs, why: 'VolumeAttachment is being deleted' };
  return hold('attacher-stuck', 'external-attacher has not finished the delete of the VolumeAttachment');
}

/** Evidence and fence go by address: what two claim proves nothing about either, and a fence would cut off both. */
function addressesOwn({ addressConflict }: RuleInput): Verdict | undefined {
  return addressConflict === undefined ? undefined : hold('address-conflict', addressConflict);
}

function storageKnown({ evidence }: RuleInput): Verdict | undefined {
  if (evidence.kind !== 'unknown') return undefined;
  return hold('storage-unknown', `${evidence.detail} (${evidence.reason})`);
}

function otherDrivers({ otherAttachers, policy }: RuleInput): Verdict | undefined {
  if (policy.otherDrivers !== 'hold' || otherAttachers.size === 0) return undefined;
  return hold('other-drivers', `The node also has volumes of ${[...otherAttachers].join(', ')}`);
}

function modeObserve(c: RuleInput): Verdict | undefined {
  if (c.policy.mode !== 'observe') return undefined;
  const would = modeFence(c);
  return { ...hold('dry-run', `Mode is observe; mode fence would ${describe(would)}`), would };
}

function modeFence(c: RuleInput): Verdict {
  const { fence: found, node, evidence, nowMs } = c;
  const fence = ofThisLoss(found, node);
  const excluded = neverFenced(c);
  if (excluded !== undefined) return hold('fence-excluded', excluded);
  const lost = `Node has been ${lostFor(node, nowMs)}`;
  switch (fence.kind) {
    case 'open':
      return { kind: 'fence', why: `${lost}; ${evidence.detail}` };
    case 'quiescing':
      return { kind: 'wait', untilMs: fence.untilMs, why: fence.why };
    case 'effective':
      return {
        kind: 'release',
        why: `${lost}; ${fence.why} (fence ${fence.fence.id})`,
      };
    case 'ineffective':
      if (isConfirmedOff(c, fence))
        return {
          kind: 'release',
          why: `${lost}; an operator confirmed that the machine is off and its writes have ended (fence ${fence.fence?.id})`,
        };
      return hold(INEFFECTIVE_HOLDS[fence.reason], withFix(fence));
    case 'unknown':
    default:
      return hold('fence-failed', fence.why);
  }
}

/** A fence that an operator declared the node clean of belongs to an earlier loss: it gets a new record first. */
function ofThisLoss(fence: FenceState, node: NodeState): FenceState {
  const fact = nodeFactOf(node);
  const isOfEarlierLoss =
    (fence.kind === 'quiescing' || fence.kind === 'effective') && fact && isDeclaredClean(fact, fence.fence);
  return isOfEarlierLoss ? { kind: 'open', addresses: fence.fence.addresses } : fence;
}

const INEFFECTIVE_HOLDS: Readonly<Record<IneffectiveReason, HoldReason>> = {
  'not-enforced': 'fence-failed',
  'still-writing': 'fence-failed',
  'quiesce-unproved': 'quiesce-unproved',
  'unattributed-session': 'unattributed-session',
};

/** The fence cuts the node off, nothing but the proof is missing, and the operator's word is about this very fence. */
function isConfirmedOff(
  { attachment: { confirmedOffFenceId } }: RuleInput,
  { acceptsConfirmation, fence }: Extract<FenceState, { kind: 'ineffective' }>,
): boolean {
  return acceptsConfirmation === true && fence !== undefined && namesFence(confirmedOffFenceId, fence);
}

function withFix({ why, fix }: Extract<FenceState, { kind: 'ineffective' }>): string {
  return fix === undefined ? why : `${why}; fix: ${fix}`;
}

function neverFenced({ node, policy }: RuleInput): string | undefined {
  const selector = Object.entries(policy.fence.neverFence);
  if (selector.length === 0) return undefined;
  const fact = nodeFactOf(node);
  if (!fact) return 'The Node is gone and its labels are not known; it may be one that must never be fenced';
  if (!selector.every(([key, value]) => fact.labels[key] === value)) return undefined;
  return `Node has the labels ${selector.map((label) => label.join('=')).join(',')} of nodes that are never fenced`;
}

function describe(verdict: Verdict): string {
  return verdict.kind === 'hold'
    ? `hold (${verdict.reason}): ${verdict.why}`
    : `${verdict.kind}: ${verdict.why}`;
}

function hold(reason: HoldReason, why: string): Extract<Verdict, { kind: 'hold' }> {
  return { kind: 'hold', reason, why };
}

function lostFor(node: NodeState, nowMs: number): string {
  if (node.kind === 'ready') return 'ready';
  const words = { 'lease-stale': 'without a fresh Lease', 'not-ready': 'NotReady', gone: 'gone' } as const;
  return `${words[node.kind]} for ${seconds(nowMs - node.sinceMs)}`;
}

function seconds(ms: number): string {
  return `${(ms / 1000).toFixed(1)} s`;
}
