import type { ClusterView, NodeState } from './cluster-view.ts';
import type { NodeEvidence, PersistentVolumeFact, VolumeAttachmentFact } from './facts.ts';
import { massFailure } from './mass-failure.ts';
import type { Policy } from './policy.ts';
import { type Case, RULES, type Verdict } from './rules.ts';

/** Oldest storage reading that may count as this pass's own, ms. An older one is no reading at all. */
const MAX_READING_AGE_MS = 5_000;

/** What happens to one attachment, the rule that said so and the facts it rests on. */
export interface Decision {
  readonly attachment: VolumeAttachmentFact;
  readonly volume?: PersistentVolumeFact;
  readonly node: NodeState;
  readonly evidence: NodeEvidence;
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
 * Decides what happens to every attachment. Pure: reads no clock, does no I/O, and says the same of the same facts.
 * @param nowMs epoch ms, taken once per pass
 * @see RULES
 */
export function decide(view: ClusterView, policy: Policy, nowMs: number): Plan {
  const breaker = massFailure(view, policy.breaker, nowMs);
  const decisions = view.attachments.map(({ attachment, volume, migrationUntilMs }): Decision => {
    const node = view.nodes.get(attachment.nodeName) ?? unseenNode(attachment.nodeName, nowMs);
    const evidence = evidenceFor(view, node.name, nowMs);
    const c: Case = {
      attachment,
      volume,
      migrationUntilMs,
      node,
      evidence,
      cache: view.cache,
      massFailure: breaker,
      policy,
      nowMs,
    };
    return { attachment, ...(volume && { volume }), node, evidence, ...firstMatch(c) };
  });
  const nextDeadlineMs = earliestDeadline(decisions, policy, nowMs);
  return { decidedAtMs: nowMs, decisions, ...(nextDeadlineMs !== undefined && { nextDeadlineMs }) };
}

function firstMatch(c: Case): Pick<Decision, 'rule' | 'verdict'> {
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

function evidenceFor({ storage }: ClusterView, nodeName: string, nowMs: number): NodeEvidence {
  const evidence = storage?.evidence.get(nodeName);
  if (evidence && nowMs - evidence.observedAtMs <= MAX_READING_AGE_MS) return evidence;
  return {
    kind: 'unknown',
    observedAtMs: nowMs,
    reason: 'no-storage-reading',
    detail: evidence ? 'The last reading of the box is too old' : 'The box was not asked about this node',
  };
}

/** A lost node is looked at again every `suspectPollMs`, since the box may have more to say, or sooner when a wait ends. */
function earliestDeadline(decisions: readonly Decision[], policy: Policy, nowMs: number): number | undefined {
  let earliest = Number.POSITIVE_INFINITY;
  for (const { attachment, node, verdict } of decisions) {
    if (attachment.attacher !== policy.attacher || node.kind === 'ready') continue;
    earliest = Math.min(earliest, nowMs + policy.suspectPollMs);
    if (verdict.kind === 'wait') earliest = Math.min(earliest, verdict.untilMs);
  }
  return Number.isFinite(earliest) ? earliest : undefined;
}
