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
    ...(persistentVolume !== undefined && { persistentVolume }),
    ...(volume?.volumeHandle !== undefined && { volumeHandle: volume.volumeHandle }),
    ...(claim && { claim: { namespace: claim.namespace, name: claim.name } }),
    pods: pods.length === 0 ? undefined : pods.map(({ namespace, name }) => ({ namespace, name })),
    node: node.name,
    nodeState: node.kind,
    ...(backend && { backend: backend.name }),
    evidence: evidenceState(evidence),
    fence: fenceState(fence),
    rule,
    ...outcome,
    ...(sinceMs !== undefined && { sinceMs }),
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
    ...(verdict.kind === 'hold' && { reason: verdict.reason }),
    why: verdict.why,
    ...(verdict.kind === 'wait' && { untilMs: verdict.untilMs }),
  };
}

function evidenceState(evidence: NodeEvidence): AttachmentState['evidence'] {
  const { kind, detail, observedAtMs } = evidence;
  if (kind === 'unknown') return { kind, detail, observedAtMs, reason: evidence.reason };
  return {
    kind,
    detail,
    observedAtMs,
    ...(evidence.lastActivityMs !== undefined && { lastActivityMs: evidence.lastActivityMs }),
    ...(kind === 'silent' && { silentSinceMs: evidence.silentSinceMs }),
  };
}

function fenceState(fence: FenceState): AttachmentState['fence'] {
  const standing = fence.kind === 'open' ? fence.partial : 'fence' in fence ? fence.fence : undefined;
  return {
    kind: fence.kind,
    ...('why' in fence && { why: fence.why }),
    ...(standing && { id: standing.id }),
  };
}
