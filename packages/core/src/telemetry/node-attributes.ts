import type { Attributes } from '@opentelemetry/api';
import type { LostDecision } from '../execute/effect.ts';
import type { NodeEvidence } from '../model/storage-reading.ts';
import {
  ATTR_BACKEND,
  ATTR_EVIDENCE,
  ATTR_EVIDENCE_DETAIL,
  ATTR_EVIDENCE_LAST_ACTIVITY,
  ATTR_EVIDENCE_OBSERVED_AT,
  ATTR_EVIDENCE_REASON,
  ATTR_EVIDENCE_SILENT_SINCE,
  ATTR_FENCE_ID,
  ATTR_FENCE_STATE,
  ATTR_NODE_LOST_SINCE,
  ATTR_NODE_NAME,
  ATTR_NODE_STATE,
  ATTR_NODE_UID,
} from './semconv.ts';

/** Who is lost, since when, and what is known about it. */
export function nodeAttributes({ node, backend, evidence, fence }: LostDecision): Attributes {
  const uid = node.kind === 'gone' ? node.lastSeen?.uid : node.node.uid;
  return {
    [ATTR_NODE_NAME]: node.name,
    ...(uid !== undefined && { [ATTR_NODE_UID]: uid }),
    [ATTR_NODE_STATE]: node.kind,
    [ATTR_NODE_LOST_SINCE]: isoTime(node.sinceMs),
    ...(backend && { [ATTR_BACKEND]: backend.name }),
    ...evidenceAttributes(evidence),
    [ATTR_FENCE_STATE]: fence.kind,
    ...('fence' in fence && fence.fence && { [ATTR_FENCE_ID]: fence.fence.id }),
  };
}

/** What a backend said about a node, and when. */
export function evidenceAttributes(evidence: NodeEvidence): Attributes {
  return {
    [ATTR_EVIDENCE]: evidence.kind,
    [ATTR_EVIDENCE_DETAIL]: evidence.detail,
    [ATTR_EVIDENCE_OBSERVED_AT]: isoTime(evidence.observedAtMs),
    ...(evidence.kind === 'unknown' && { [ATTR_EVIDENCE_REASON]: evidence.reason }),
    ...(evidence.kind === 'silent' && { [ATTR_EVIDENCE_SILENT_SINCE]: isoTime(evidence.silentSinceMs) }),
    ...(evidence.kind !== 'unknown' &&
      evidence.lastActivityMs !== undefined && {
        [ATTR_EVIDENCE_LAST_ACTIVITY]: isoTime(evidence.lastActivityMs),
      }),
  };
}

/** For people; what is no time at all stays a number. */
function isoTime(ms: number): string {
  const date = new Date(ms);
  return Number.isNaN(date.getTime()) ? String(ms) : date.toISOString();
}
