import { SpanStatusCode, trace } from '@opentelemetry/api';
import type { Effect, LostDecision } from '../effect.ts';
import { errorType } from './error-type.ts';
import {
  ATTR_BOX,
  ATTR_ERROR_TYPE,
  ATTR_EVIDENCE,
  ATTR_FENCE_ID,
  ATTR_NODE_NAME,
  ATTR_NODE_STATE,
  ATTR_NODE_UID,
  ATTR_RULE,
  ATTR_WHY,
} from './semconv.ts';

const tracer = trace.getTracer('@reattach/core');

/** Runs one node's part of a plan in a span that carries the evidence it rests on. */
export function inNodeSpan(
  name: 'fence node' | 'release node',
  { node, box, evidence, fence, rule, verdict }: LostDecision,
  run: () => Promise<Effect[]>,
): Promise<Effect[]> {
  const uid = node.kind === 'gone' ? node.lastSeen?.uid : node.node.uid;
  const attributes = {
    [ATTR_NODE_NAME]: node.name,
    ...(uid !== undefined && { [ATTR_NODE_UID]: uid }),
    [ATTR_NODE_STATE]: node.kind,
    ...(box && { [ATTR_BOX]: box.name }),
    [ATTR_EVIDENCE]: evidence.kind,
    ...('fence' in fence && { [ATTR_FENCE_ID]: fence.fence.id }),
    [ATTR_RULE]: rule,
    [ATTR_WHY]: verdict.why,
  };
  return tracer.startActiveSpan(name, { attributes }, async (span) => {
    try {
      const effects = await run();
      const failed = effects.find(({ kind }) => kind === 'failed');
      if (failed?.kind === 'failed') {
        span.setAttribute(ATTR_ERROR_TYPE, errorType(failed.err)).setStatus({ code: SpanStatusCode.ERROR });
      }
      return effects;
    } finally {
      span.end();
    }
  });
}
