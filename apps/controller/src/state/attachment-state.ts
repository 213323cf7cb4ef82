import {
  type AttachmentStatus,
  type Decision,
  type FenceState,
  type NodeEvidence,
  type PodFact,
  STALE_STEPS,
} from '@reattach/core';
import type { AttachmentState } from '@reattach/status-page';

/** One decision for people. @param status after the last pass; absent where none ran. */
export function attachmentState(
  decision: Decision,
  status?: AttachmentStatus,
  pods: readonly PodFact[] = [],
): AttachmentState {
  const { attachment, volume, node, backend, evidence, fence, rule } = decision;
  const { persistentVolumeName: persistentVolume } = attachment;
  const claim = volume?.claim;
  const outcome = outcomeOf(decision, status);
  const state = outcome.decision === 'hold' ? outcome.reason : STALE_STEPS[outcome.decision];
  const sinceMs = status?.state === state ? status?.sinceMs : undefined;
  return {
    volumeAttachment: attachment.name,
    persistentVolume,
    volumeHandle: volume?.volumeHandle,
    claim: claim && { namespace: claim.namespace, name: claim.name },
    pods: pods.length === 0 ? undefined : pods.map(({ namespace, name }) => ({ namespace, name })),
    node: node.name,
    nodeState: node.kind,
    backend: backend?.name,
    evidence: evidenceState(evidence),
    fence: fenceState(fence),
    rule,
    ...outcome,
    sinceMs,
  };
}

type Outcome = Pick<AttachmentState, 'decision' | 'reason' | 'why' | 'untilMs'>;

/** Reasons that hold every attachment, whatever its node is like. */
const GLOBAL_REASONS: readonly string[] = ['cache-stale', 'mass-failure'];

/** The node is ready, so nothing is held; but if it were lost now, nothing would be released. */
export function isBlocked({ node, verdict }: Decision): boolean {
  return node.kind === 'ready' && verdict.kind === 'hold' && GLOBAL_REASONS.includes(verdict.reason);
}

/** A step that the pass decided but could not take is shown as the hold it became. */
function outcomeOf(decision: Decision, status: AttachmentStatus | undefined): Outcome {
  const { verdict } = decision;
  if (isBlocked(decision)) return { decision: 'keep', why: 'Node is ready' };
  const isStep = verdict.kind === 'fence' || verdict.kind === 'release';
  if (isStep && status?.hold?.isPrevented) {
    return { decision: 'hold', reason: status.hold.reason, why: status.hold.why };
  }
  return {
    decision: verdict.kind,
    reason: verdict.kind === 'hold' ? verdict.reason : undefined,
    why: verdict.why,
    untilMs: verdict.kind === 'wait' ? verdict.untilMs : undefined,
  };
}

function evidenceState(evidence: NodeEvidence): AttachmentState['evidence'] {
  const { kind, detail, observedAtMs } = evidence;
  if (kind === 'unknown') return { kind, detail, observedAtMs, reason: evidence.reason };
  return {
    kind,
    detail,
    observedAtMs,
    lastActivityMs: evidence.lastActivityMs,
    silentSinceMs: kind === 'silent' ? evidence.silentSinceMs : undefined,
  };
}

function fenceState(fence: FenceState): AttachmentState['fence'] {
  const inForce = fence.kind === 'open' ? fence.partial : 'fence' in fence ? fence.fence : undefined;
  return {
    kind: fence.kind,
    why: 'why' in fence ? fence.why : undefined,
    id: inForce?.id,
  };
}
