import type { FenceState } from '../model/fence-state.ts';
import type { Policy } from '../model/policy.ts';
import type { NodeEvidence, StorageReading, UnknownReason } from '../model/storage-reading.ts';
import type { AttachmentView, ClusterView, NodeState } from '../view/cluster-view.ts';
import { addressConflicts } from './address-conflict.ts';
import { massFailure } from './mass-failure.ts';
import { RULES, type RuleInput, type Verdict } from './rules.ts';

/** Oldest storage reading that may count as this pass's own, ms. An older one does not count. */
const MAX_READING_AGE_MS = 5_000;

/** What happens to one attachment, the rule that said so and the facts it rests on. */
export interface Decision extends AttachmentView {
  readonly node: NodeState;
  readonly evidence: NodeEvidence;
  readonly fence: FenceState;
  readonly rule: string;
  readonly verdict: Verdict;
}

/** The decisions of one pass. */
export interface Plan {
  readonly decidedAtMs: number;
  readonly decisions: readonly Decision[];
  /** When the facts should be looked at again, epoch ms; absent when nothing is pending. */
  readonly nextDeadlineMs?: number;
}

/**
 * Decides what happens to attachments in the view. Pure: reads no clock, does no I/O, and decides the same for the same facts.
 * @param nowMs epoch ms, taken once per pass
 * @param among the attachments to decide about; default every one in the view. The circuit breaker counts every one.
 * @see RULES
 */
export function decide(
  view: ClusterView,
  policy: Policy,
  nowMs: number,
  among: readonly AttachmentView[] = view.attachments,
): Plan {
  if (among.length === 0) return planOf([], view, policy, nowMs);
  const withAttachments = new Set(
    view.attachments.flatMap(({ attachment }) =>
      attachment.attacher === policy.attacher ? [attachment.nodeName] : [],
    ),
  );
  const breaker = massFailure(view, policy.breaker, (name) => withAttachments.has(name));
  const conflicts = addressConflicts(view, policy.addresses);
  const notAsked = unknown('no-storage-reading', 'The backend was not asked about this node', nowMs);
  const decisions = among.map((attachmentView): Decision => {
    const { attachment, backend } = attachmentView;
    const node = view.nodes.get(attachment.nodeName) ?? unseenNode(attachment.nodeName, nowMs);
    const reading = backend && view.storage.get(backend.name);
    const evidence = evidenceFor(attachmentView, reading, node.name, nowMs) ?? notAsked;
    const fence: FenceState =
      (node.kind === 'ready' ? undefined : reading?.fenceStates.get(node.name)) ?? NOT_READ;
    const c: RuleInput = {
      ...attachmentView,
      node,
      evidence,
      fence,
      otherAttachers: view.otherAttachers.get(node.name) ?? NONE,
      cache: view.cache,
      massFailure: breaker(node.name),
      addressConflict: conflicts(node.name),
      policy,
      nowMs,
    };
    return { ...attachmentView, node, evidence, fence, ...firstMatch(c) };
  });
  return planOf(decisions, view, policy, nowMs);
}

function planOf(
  decisions: readonly Decision[],
  { healthyCount = 0 }: ClusterView,
  policy: Policy,
  nowMs: number,
): Plan {
  const nextDeadlineMs = earliestDeadline(decisions, healthyCount, policy, nowMs);
  return { decidedAtMs: nowMs, decisions, ...(nextDeadlineMs !== undefined && { nextDeadlineMs }) };
}

const NONE: ReadonlySet<string> = new Set();

function firstMatch(c: RuleInput): Pick<Decision, 'rule' | 'verdict'> {
  for (const { name, decide: rule } of RULES) {
    const verdict = rule(c);
    if (verdict) return { rule: name, verdict };
  }
  throw new TypeError('The last rule left a case undecided');
}

/** Only attachments of other attachers name Nodes the view leaves out: they are kept whatever the node. */
function unseenNode(name: string, nowMs: number): NodeState {
  return { kind: 'gone', name, sinceMs: nowMs };
}

/**
 * What is said of a node comes from the very backend that holds the volume.
 * @returns `undefined` when the backend was not asked about it: a node that is ready needs no evidence.
 */
function evidenceFor(
  { volume, backend }: AttachmentView,
  reading: StorageReading | undefined,
  nodeName: string,
  nowMs: number,
): NodeEvidence | undefined {
  if (volume && !backend)
    return unknown('no-such-backend', 'The volume is at a backend that is not configured', nowMs);
  const evidence = reading?.evidence.get(nodeName);
  if (!evidence) return undefined;
  if (nowMs - evidence.observedAtMs > MAX_READING_AGE_MS) {
    return unknown('no-storage-reading', 'The last reading of the backend is too old', nowMs);
  }
  if (evidence.kind !== 'unknown' && !reading?.volumes?.has(volume?.volumeHandle ?? '')) {
    const detail = 'The backend does not export the volume, so it says nothing about it';
    return unknown('volume-not-found', detail, nowMs);
  }
  return evidence;
}

function unknown(reason: UnknownReason, detail: string, observedAtMs: number): NodeEvidence {
  return { kind: 'unknown', observedAtMs, reason, detail };
}

const NOT_READ: FenceState = { kind: 'unknown', why: 'The backend was not read' };

/**
 * A lost node is looked at again every `suspectPollMs`, since the backend may have more to say, or sooner when a wait ends. With
 * early detection, so is a ready one whose Lease may have gone stale by then.
 */
function earliestDeadline(
  decisions: readonly Decision[],
  healthyCount: number,
  policy: Policy,
  nowMs: number,
): number | undefined {
  const pollMs = nowMs + policy.suspectPollMs;
  let earliest = healthyCount > 0 && policy.earlyDetection.enabled ? pollMs : Number.POSITIVE_INFINITY;
  for (const { attachment, node, verdict } of decisions) {
    if (attachment.attacher !== policy.attacher) continue;
    if (node.kind !== 'ready' || policy.earlyDetection.enabled) earliest = Math.min(earliest, pollMs);
    if (node.kind !== 'ready' && verdict.kind === 'wait') earliest = Math.min(earliest, verdict.untilMs);
  }
  return Number.isFinite(earliest) ? earliest : undefined;
}
