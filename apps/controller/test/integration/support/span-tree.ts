import type { ReceivedSpan } from './otlp-receiver.ts';

/** What an operator reads first; the rest stays in the trace. */
const SHOWN = [
  'reattach.reconcile.reasons',
  'k8s.node.name',
  'reattach.evidence',
  'reattach.evidence.detail',
  'reattach.fence.state',
  'reattach.decision',
  'reattach.decision.rule',
  'reattach.decision.why',
  'k8s.pod.name',
  'reattach.volumes',
  'reattach.write.result',
  'error.type',
] as const;

/** Spans that began from one another, each below its parent or below the span it links to, with times since the first. */
export function spanTree(spans: readonly ReceivedSpan[]): string {
  const sorted = spans.toSorted((a, b) => a.startMs - b.startMs);
  const [first] = sorted;
  const lines: string[] = [];
  const children = Map.groupBy(sorted, ({ parentSpanId }) => parentSpanId);
  const show = (span: ReceivedSpan, depth: number) => {
    const indent = '  '.repeat(depth);
    const at = `+${(span.startMs - (first?.startMs ?? 0)).toFixed(0)} ms`.padStart(9);
    const took = `${(span.endMs - span.startMs).toFixed(1)} ms`.padStart(9);
    lines.push(
      `${at} ${took}  ${indent}${span.name}${span.failed ? ' FAILED' : ''}${shown(span.attributes)}`,
    );
    for (const event of span.events)
      lines.push(`${' '.repeat(21)}${indent}  * ${event.name}${shown(event.attributes)}`);
    for (const child of children.get(span.spanId) ?? []) show(child, depth + 1);
  };
  for (const root of children.get(undefined) ?? []) show(root, 0);
  return lines.join('\n');
}

function shown(attributes: ReceivedSpan['attributes']): string {
  const parts = SHOWN.flatMap((key) => {
    const value = attributes[key];
    return value === undefined ? [] : `${key.split('.').at(-1)}=${JSON.stringify(value)}`;
  });
  return parts.length === 0 ? '' : `  ${parts.join(' ')}`;
}
