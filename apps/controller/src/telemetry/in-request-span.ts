import { SpanKind, trace } from '@opentelemetry/api';

/** Runs `ask` in a span: the pass that a person asked for links to it. */
export function inRequestSpan(ask: () => void): void {
  trace
    .getTracer('@reattach/controller')
    .startActiveSpan('request reconcile', { kind: SpanKind.SERVER }, (span) => {
      try {
        ask();
      } finally {
        span.end();
      }
    });
}
