import { SpanStatusCode, trace } from '@opentelemetry/api';
import { errorType } from '../telemetry/error-type.ts';
import { ATTR_ERROR_TYPE, ATTR_RULE, ATTR_VOLUMES, ATTR_WHY } from '../telemetry/semconv.ts';
import type { Effect, LostDecision } from './effect.ts';
import { nodeAttributes } from './node-attributes.ts';

const tracer = trace.getTracer('@reattach/core');

/** Volumes named on one span. */
const MAX_VOLUMES = 32;

/** Runs one node's part of a plan in a span that carries the evidence it rests on. */
export function inNodeSpan(
  name: 'fence node' | 'release node',
  decisions: readonly [LostDecision, ...LostDecision[]],
  run: () => Promise<Effect[]>,
): Promise<Effect[]> {
  const [first] = decisions;
  const volumes = decisions.flatMap(({ attachment }) => attachment.persistentVolumeName ?? []);
  const attributes = {
    ...nodeAttributes(first),
    [ATTR_RULE]: first.rule,
    [ATTR_WHY]: first.verdict.why,
    [ATTR_VOLUMES]: volumes.slice(0, MAX_VOLUMES),
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
