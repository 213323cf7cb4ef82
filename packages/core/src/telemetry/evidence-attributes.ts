import type { Attributes } from '@opentelemetry/api';
import type { NodeEvidence } from '../model/storage-reading.ts';
import {
  ATTR_EVIDENCE,
  ATTR_EVIDENCE_DETAIL,
  ATTR_EVIDENCE_LAST_ACTIVITY,
  ATTR_EVIDENCE_OBSERVED_AT,
  ATTR_EVIDENCE_REASON,
  ATTR_EVIDENCE_SILENT_SINCE,
} from './semconv.ts';

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

/** ISO 8601, for people. A value that is not a valid time stays a number. */
export function isoTime(ms: number): string {
  const date = new Date(ms);
  return Number.isNaN(date.getTime()) ? String(ms) : date.toISOString();
}
