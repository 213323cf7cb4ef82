import {
  type Attributes,
  metrics,
  type ObservableResult,
  SpanStatusCode,
  type Tracer,
  trace,
} from '@opentelemetry/api';
import { KubeApiError } from '@reattach/k8s-api';
import { K8sActionsError } from '../k8s-actions-error.ts';

const SCOPE = '@reattach/k8s-actions';

/** One span per write, e.g. `delete volumeattachment`; the requests inside them are spans of `@reattach/k8s-api`. */
const tracer: Tracer = trace.getTracer(SCOPE);

/** Attributes of spans: semantic conventions first, then ours. */
export const ATTRIBUTE = {
  nodeName: 'k8s.node.name',
  nodeUid: 'k8s.node.uid',
  namespaceName: 'k8s.namespace.name',
  podName: 'k8s.pod.name',
  podUid: 'k8s.pod.uid',
  persistentVolumeName: 'k8s.persistentvolume.name',
  pluginName: 'container.csi.plugin.name',
  errorType: 'error.type',
  volumeAttachmentName: 'reattach.volume_attachment.name',
  volumeAttachmentUid: 'reattach.volume_attachment.uid',
  writeResult: 'reattach.write.result',
} as const;

/** Every instrument of this package. */
export const INSTRUMENTS = {
  leader: {
    name: 'reattach.leader',
    unit: '1',
    description: '1 while this replica may act, else 0; always 1 without leader election.',
  },
} as const;

/** Exports whether this replica may act until disposed. */
export function observeLeader(isLeader: () => boolean): Disposable {
  const { name, unit, description } = INSTRUMENTS.leader;
  const gauge = metrics.getMeter(SCOPE).createObservableGauge(name, { unit, description });
  const observe = (result: ObservableResult) => result.observe(isLeader() ? 1 : 0);
  gauge.addCallback(observe);
  return { [Symbol.dispose]: () => gauge.removeCallback(observe) };
}

/** Runs `fn` in a span that ends with its result or its error; an abort is not an error. */
export async function inWriteSpan<T extends string>(
  name: string,
  attributes: Attributes,
  signal: AbortSignal,
  fn: () => Promise<T>,
): Promise<T> {
  return tracer.startActiveSpan(name, { attributes }, async (span) => {
    try {
      const result = await fn();
      span.setAttribute(ATTRIBUTE.writeResult, result);
      return result;
    } catch (err) {
      if (!signal.aborted) {
        span.setAttribute(ATTRIBUTE.errorType, errorType(err));
        span.setStatus({ code: SpanStatusCode.ERROR });
      }
      throw err;
    } finally {
      span.end();
    }
  });
}

function errorType(err: unknown): string {
  return err instanceof KubeApiError || err instanceof K8sActionsError ? err.code : 'Error';
}
