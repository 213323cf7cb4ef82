import { type Attributes, SpanStatusCode, type Tracer, trace } from '@opentelemetry/api';
import { KubeApiError } from '@reattach/k8s-api';

/** Spans `delete pod` and `delete volumeattachment`; the requests inside them are spans of `@reattach/k8s-api`. */
const tracer: Tracer = trace.getTracer('@reattach/k8s-actions');

/** Attributes of spans: semantic conventions first, then ours. */
export const ATTRIBUTE = {
  nodeName: 'k8s.node.name',
  namespaceName: 'k8s.namespace.name',
  podName: 'k8s.pod.name',
  podUid: 'k8s.pod.uid',
  persistentVolumeName: 'k8s.persistentvolume.name',
  pluginName: 'container.csi.plugin.name',
  errorType: 'error.type',
  volumeAttachmentName: 'reattach.volume_attachment.name',
  volumeAttachmentUid: 'reattach.volume_attachment.uid',
  deleteResult: 'reattach.delete.result',
} as const;

/** Runs `fn` in a span that ends with its result or its error; an abort is no error. */
export async function inDeleteSpan<T extends string>(
  name: string,
  attributes: Attributes,
  signal: AbortSignal,
  fn: () => Promise<T>,
): Promise<T> {
  return tracer.startActiveSpan(name, { attributes }, async (span) => {
    try {
      const result = await fn();
      span.setAttribute(ATTRIBUTE.deleteResult, result);
      return result;
    } catch (err) {
      if (!signal.aborted) {
        span.setAttribute(ATTRIBUTE.errorType, err instanceof KubeApiError ? err.code : 'Error');
        span.setStatus({ code: SpanStatusCode.ERROR });
      }
      throw err;
    } finally {
      span.end();
    }
  });
}
