import type { AttachmentView, ClusterView, NodeState } from './cluster-view.ts';
import type { NodeEvidence, Taint } from './facts.ts';
import type { Policy } from './policy.ts';

/** Why nothing was done although the node is lost. Operators see it in Events, metrics and the CLI. */
export const HOLD_REASONS = [
  'cache-stale',
  'mass-failure',
  'other-actor',
  'volume-unknown',
  'storage-unknown',
  'dry-run',
  'node-still-writing',
  'attacher-stuck',
] as const;

/** @see HOLD_REASONS */
export type HoldReason = (typeof HOLD_REASONS)[number];

/** What a rule says. `why` is for people; it may hold ages and addresses. */
export type Verdict =
  | { readonly kind: 'keep'; readonly why: string }
  | { readonly kind: 'wait'; readonly untilMs: number; readonly why: string }
  | { readonly kind: 'hold'; readonly reason: HoldReason; readonly why: string; readonly would?: Verdict }
  | { readonly kind: 'release'; readonly why: string };

/** One attachment with every fact that may decide it. */
export interface Case {
  readonly attachment: AttachmentView['attachment'];
  readonly volume: AttachmentView['volume'];
  readonly migrationUntilMs: AttachmentView['migrationUntilMs'];
  readonly node: NodeState;
  readonly evidence: NodeEvidence;
  readonly cache: ClusterView['cache'];
  /** Why too many nodes are lost at once; absent when they are not. */
  readonly massFailure: string | undefined;
  readonly policy: Policy;
  readonly nowMs: number;
}

/** A rule decides a case or leaves it to the next. */
export interface Rule {
  readonly name: string;
  readonly decide: (c: Case) => Verdict | undefined;
}

/** The rules of design section 4 in their order; the first that says something wins. */
export const RULES: readonly Rule[] = [
  { name: 'cache-fresh', decide: cacheFresh },
  { name: 'attacher-ours', decide: attacherOurs },
  { name: 'no-mass-failure', decide: noMassFailure },
  { name: 'no-other-actor', decide: noOtherActor },
  { name: 'node-lost', decide: nodeLost },
  { name: 'no-migration', decide: noMigration },
  { name: 'grace-over', decide: graceOver },
  { name: 'volume-known', decide: volumeKnown },
  { name: 'detach-under-way', decide: detachUnderWay },
  { name: 'storage-known', decide: storageKnown },
  { name: 'mode-observe', decide: modeObserve },
  { name: 'mode-release', decide: modeRelease },
];

function cacheFresh({ cache, policy, nowMs }: Case): Verdict | undefined {
  if (!cache.synced) return hold('cache-stale', `Caches are not synced: ${cache.detail}`);
  const ageMs = nowMs - cache.freshAsOfMs;
  if (ageMs <= policy.maxCacheAgeMs) return undefined;
  return hold('cache-stale', `Caches are ${seconds(ageMs)} old: ${cache.detail}`);
}

function attacherOurs({ attachment, policy }: Case): Verdict | undefined {
  if (attachment.attacher === policy.attacher) return undefined;
  return { kind: 'keep', why: `Attacher ${attachment.attacher} is not ours` };
}

function noMassFailure({ massFailure }: Case): Verdict | undefined {
  return massFailure === undefined ? undefined : hold('mass-failure', massFailure);
}

/** Taints by which others say they are recovering a node; ours has the value `reattach`. */
function noOtherActor({ node }: Case): Verdict | undefined {
  const taint = node.kind === 'gone' ? undefined : node.node.taints.find(isOtherActor);
  if (!taint) return undefined;
  return hold('other-actor', `Taint ${taint.key} says that another actor is recovering the node`);
}

function isOtherActor({ key, value }: Taint): boolean {
  if (key === 'node.kubernetes.io/out-of-service') return value !== 'reattach';
  return (
    key.startsWith('medik8s.io/') || key.endsWith('.medik8s.io') || key.endsWith('podmon.storage.dell.com')
  );
}

function nodeLost({ node }: Case): Verdict | undefined {
  return node.kind === 'ready' ? { kind: 'keep', why: 'Node is ready' } : undefined;
}

function noMigration({ migrationUntilMs, nowMs }: Case): Verdict | undefined {
  if (migrationUntilMs === undefined || migrationUntilMs <= nowMs) return undefined;
  return { kind: 'wait', untilMs: migrationUntilMs, why: 'Volume is in a live migration' };
}

/** The grace counts from the loss; proved silence shortens it, once the silence has itself lasted `silentGraceMs`. */
function graceOver({ node, evidence, policy, nowMs }: Case): Verdict | undefined {
  if (node.kind === 'ready') return undefined;
  const fullMs = node.sinceMs + policy.gracePeriodMs;
  const silentMs =
    evidence.kind === 'silent'
      ? Math.max(node.sinceMs, evidence.silentSinceMs) + policy.silentGraceMs
      : fullMs;
  const untilMs = Math.min(fullMs, silentMs);
  if (nowMs >= untilMs) return undefined;
  return { kind: 'wait', untilMs, why: `Node has been ${lostFor(node, nowMs)}, less than its grace` };
}

/** An inline volume, a volume we cannot see or one of another driver: nothing proves whose data it is. */
function volumeKnown({ attachment, volume, policy }: Case): Verdict | undefined {
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
function detachUnderWay({ attachment, policy, nowMs }: Case): Verdict | undefined {
  if (attachment.deletingSinceMs === undefined) return undefined;
  const untilMs = attachment.deletingSinceMs + policy.detachTimeoutMs;
  if (nowMs < untilMs) return { kind: 'wait', untilMs, why: 'VolumeAttachment is being deleted' };
  return hold('attacher-stuck', 'external-attacher has not finished the delete of the VolumeAttachment');
}

function storageKnown({ evidence }: Case): Verdict | undefined {
  if (evidence.kind !== 'unknown') return undefined;
  return hold('storage-unknown', `${evidence.detail} (${evidence.reason})`);
}

function modeObserve(c: Case): Verdict | undefined {
  if (c.policy.mode !== 'observe') return undefined;
  const would = modeRelease(c);
  return { ...hold('dry-run', `Mode is observe; would ${inWords(would)}`), would };
}

function modeRelease({ node, evidence, nowMs }: Case): Verdict {
  if (evidence.kind !== 'silent') return hold('node-still-writing', evidence.detail);
  return { kind: 'release', why: `Node has been ${lostFor(node, nowMs)}; ${evidence.detail}` };
}

function inWords(verdict: Verdict): string {
  return verdict.kind === 'hold'
    ? `hold (${verdict.reason}): ${verdict.why}`
    : `${verdict.kind}: ${verdict.why}`;
}

function hold(reason: HoldReason, why: string): Extract<Verdict, { kind: 'hold' }> {
  return { kind: 'hold', reason, why };
}

function lostFor(node: NodeState, nowMs: number): string {
  if (node.kind === 'ready') return 'ready';
  return `${node.kind === 'gone' ? 'gone' : 'NotReady'} for ${seconds(nowMs - node.sinceMs)}`;
}

function seconds(ms: number): string {
  return `${(ms / 1000).toFixed(1)} s`;
}
