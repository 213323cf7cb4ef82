import type { Attributes } from '@opentelemetry/api';
import { evidenceAttributes, isoTime } from '../telemetry/evidence-attributes.ts';
import {
  ATTR_BACKEND,
  ATTR_FENCE_ID,
  ATTR_FENCE_STATE,
  ATTR_NODE_LOST_SINCE,
  ATTR_NODE_NAME,
  ATTR_NODE_STATE,
  ATTR_NODE_UID,
} from '../telemetry/semconv.ts';
import type { LostDecision } from './effect.ts';

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
