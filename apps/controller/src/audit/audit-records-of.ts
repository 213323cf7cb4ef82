import {
  type Effect,
  FENCED_TAINT,
  type LostDecision,
  nodeFactOf,
  OUT_OF_SERVICE_TAINT,
  type PassReport,
} from '@reattach/core';
import type { AuditRecord } from '@reattach/status-page';
import { attachmentState } from '../state/attachment-state.ts';

type CleanupKind = 'unfenced' | 'untainted' | 'fenced-taint-removed';
type CleanupEffect = Extract<Effect, { readonly cleanup: unknown }>;
type Pass = Pick<AuditRecord, 'atMs' | 'reconcileID'>;

/** What a pass did, one record each; what it only tried or waited for is not among them. */
export function auditRecordsOf({ effects, reconcileId }: PassReport, atMs: number): readonly AuditRecord[] {
  const pass: Pass = { atMs, reconcileID: reconcileId };
  return effects.flatMap((effect) => recordOf(effect, pass) ?? []);
}

function recordOf(effect: Effect, pass: Pass): AuditRecord | undefined {
  if (effect.kind === 'detach-requested' || effect.kind === 'fell-back') return releaseRecord(effect, pass);
  if (effect.kind === 'fenced') {
    const { decisions, fence, addresses } = effect;
    const { id, fencedAtMs, nodeName: node } = fence;
    return {
      ...pass,
      kind: 'fenced',
      node,
      ...sharedBy(decisions, pass),
      fence: { id, fencedAtMs, addresses: addresses.map(({ value }) => value) },
    };
  }
  if (effect.kind === 'pod-deleted') {
    const { decisions, pod } = effect;
    const { namespace, name, nodeName: node } = pod;
    return { ...pass, kind: 'pod-deleted', node, ...sharedBy(decisions, pass), pod: { namespace, name } };
  }
  return effect.kind === 'unfenced' || effect.kind === 'untainted' || effect.kind === 'fenced-taint-removed'
    ? cleanupRecord({ kind: effect.kind, cleanup: effect.cleanup }, pass)
    : undefined;
}

function releaseRecord(
  { kind, decision, strategy }: Extract<Effect, { kind: 'detach-requested' | 'fell-back' }>,
  pass: Pass,
): AuditRecord {
  const { volumeAttachment, persistentVolume, volumeHandle, claim, fence } = attachmentState(decision);
  return {
    ...pass,
    kind: 'released',
    ...factsOf(decision, pass),
    volumeAttachment,
    persistentVolume,
    volumeHandle,
    claim,
    fence,
    strategy,
    fellBack: kind === 'fell-back' ? true : undefined,
  };
}

function cleanupRecord(
  { kind, cleanup }: { readonly kind: CleanupKind; readonly cleanup: CleanupEffect['cleanup'] },
  pass: Pass,
): AuditRecord {
  const { why } = cleanup;
  if ('fence' in cleanup) {
    const { fence, backendName: backend } = cleanup;
    const { id, fencedAtMs, addresses, nodeName: node, nodeUid } = fence;
    const uid = nodeUid === undefined ? {} : { nodeUid };
    const values = addresses.map(({ value }) => value);
    return {
      ...pass,
      kind: 'unfenced',
      node,
      ...uid,
      backend,
      why,
      fence: { id, fencedAtMs, addresses: values },
    };
  }
  const { name: node, uid: nodeUid } = cleanup.node;
  const taint = kind === 'fenced-taint-removed' ? FENCED_TAINT : OUT_OF_SERVICE_TAINT;
  return { ...pass, kind: 'untainted', node, nodeUid, why, taint };
}

/** The facts of the first attachment, for an action that served several. */
function sharedBy(decisions: readonly LostDecision[], pass: Pass) {
  const [first] = decisions;
  const persistentVolumes = decisions.flatMap(({ attachment }) => attachment.persistentVolumeName ?? []);
  return { why: 'Node is lost', ...(first && factsOf(first, pass)), persistentVolumes };
}

function factsOf(decision: LostDecision, { atMs }: Pass) {
  const { node } = decision;
  const { evidence, rule, why, backend } = attachmentState(decision);
  const nodeUid = nodeFactOf(node)?.uid;
  return {
    node: node.name,
    nodeUid,
    nodeState: node.kind,
    lostForMs: Math.max(atMs - node.sinceMs, 0),
    backend,
    rule,
    why,
    evidence,
  };
}
