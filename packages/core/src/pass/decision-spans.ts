import { trace } from '@opentelemetry/api';
import type { Decision } from '../decide/decide.ts';
import type { LostDecision } from '../execute/effect.ts';
import { nodeAttributes } from '../execute/node-attributes.ts';
import {
  ATTR_DECISION,
  ATTR_HOLD_REASON,
  ATTR_PERSISTENT_VOLUME,
  ATTR_RULE,
  ATTR_VOLUME_ATTACHMENT,
  ATTR_WHY,
} from '../telemetry/semconv.ts';

const tracer = trace.getTracer('@reattach/core');

/** Nodes that get a span, and attachments of one node that get an event, in one pass: a failure of many stays readable. */
const MAX_NODES = 32;
const MAX_ATTACHMENTS = 32;

/** One span for each lost node that holds attachments of ours, with what was decided about each of them. */
export function traceDecisions(decisions: readonly Decision[]): void {
  const lost = decisions.filter((decision): decision is LostDecision => decision.node.kind !== 'ready');
  const byNode = Map.groupBy(lost, ({ node }) => node.name);
  for (const [first, ...rest] of [...byNode.values()].slice(0, MAX_NODES)) {
    if (first) traceNode([first, ...rest]);
  }
}

function traceNode(decisions: readonly [LostDecision, ...LostDecision[]]): void {
  const kinds = new Set(decisions.map(({ verdict }) => verdict.kind));
  const attributes = { ...nodeAttributes(decisions[0]), [ATTR_DECISION]: [...kinds] };
  const span = tracer.startSpan('decide node', { attributes });
  for (const { attachment, rule, verdict } of decisions.slice(0, MAX_ATTACHMENTS)) {
    span.addEvent('decision', {
      [ATTR_VOLUME_ATTACHMENT]: attachment.name,
      ...(attachment.persistentVolumeName !== undefined && {
        [ATTR_PERSISTENT_VOLUME]: attachment.persistentVolumeName,
      }),
      [ATTR_DECISION]: verdict.kind,
      ...(verdict.kind === 'hold' && { [ATTR_HOLD_REASON]: verdict.reason }),
      [ATTR_RULE]: rule,
      [ATTR_WHY]: verdict.why,
    });
  }
  span.end();
}
