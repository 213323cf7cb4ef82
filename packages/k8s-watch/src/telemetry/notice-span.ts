import { type Attributes, SpanKind, trace } from '@opentelemetry/api';

export const ATTR_NODE_NAME = 'k8s.node.name';
export const ATTR_NODE_UID = 'k8s.node.uid';
export const ATTR_VOLUME_ATTACHMENT = 'reattach.volume_attachment.name';
export const ATTR_TRIGGER_REASON = 'reattach.trigger.reason';

/** Runs `ask` in a span that says what was noticed: the pass that is asked for in it links to it. */
export function inNoticeSpan(
  name: 'notice lost node' | 'notice attachment',
  attributes: Attributes,
  ask: () => void,
): void {
  trace
    .getTracer('@reattach/k8s-watch')
    .startActiveSpan(name, { root: true, kind: SpanKind.PRODUCER, attributes }, (span) => {
      try {
        ask();
      } finally {
        span.end();
      }
    });
}
