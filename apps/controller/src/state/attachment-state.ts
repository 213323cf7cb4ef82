import {
  type AttachmentStatus,
  type Decision,
  type FenceState,
  type NodeEvidence,
  type PodFact,
  STALE_STEPS,
} from '@reattach/core';
import type { AttachmentState } from '@reattach/status-page';

/** One decision for people. @param standing what the last pass made of it; absent where none ran. */
export function attachmentState(
  decision: Decision,
  standing?: AttachmentStatus,
  pods: readonly PodFact[] = [],
): AttachmentState {
  const { attachment, volume, node, backend, evidence, fence, rule } = decision;
  const { persistentVolumeName: persistentVolume } = attachment;
  const claim = volume?.claim;
  const outcome = outcomeOf(decision, standing);
  const state = outcome.decision === 'hold' ? outcome.reason : STALE_STEPS[outcome.decision];
  const sinceMs = standing?.state === state ? standing?.sinceMs : undefined;
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

/** What a pass decided to do but could not stays as it is. */
function outcomeOf({ verdict }: Decision, standing: AttachmentStatus | undefined): Outcome {
  const isStep = verdict.kind === 'fence' || verdict.kind === 'release';
  if (isStep && standing?.hold?.isPrevented) {
    return { decision: 'hold', reason: standing.hold.reason, why: standing.hold.why };
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
  const standing = fence.kind === 'open' ? fence.partial : 'fence' in fence ? fence.fence : undefined;
  return {
    kind: fence.kind,
    why: 'why' in fence ? fence.why : undefined,
    id: standing?.id,
  };
}
