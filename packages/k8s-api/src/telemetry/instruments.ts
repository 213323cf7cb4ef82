import { type Histogram, metrics, type Tracer, trace } from '@opentelemetry/api';

const SCOPE = '@reattach/k8s-api';

/** One CLIENT span per request, named `k8s <operation>`. Watches have none: they last for minutes. */
export const tracer: Tracer = trace.getTracer(SCOPE);

/** Attributes of spans and metrics, as the semantic conventions spell them. */
export const ATTRIBUTE = {
  operation: 'reattach.operation',
  errorType: 'error.type',
  method: 'http.request.method',
  status: 'http.response.status_code',
  serverAddress: 'server.address',
  serverPort: 'server.port',
} as const;

/**
 * The instruments of this package, from the meter provider of the moment.
 *
 * | name | unit | attributes |
 * | --- | --- | --- |
 * | `reattach.k8s.request.duration` | `s` | `reattach.operation`, `error.type` (our code, failures only) |
 */
export function createInstruments(): { readonly requestDuration: Histogram } {
  return {
    requestDuration: metrics.getMeter(SCOPE).createHistogram('reattach.k8s.request.duration', {
      unit: 's',
      description: 'Time from sending a request to the API server to its parsed answer.',
      advice: { explicitBucketBoundaries: [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10] },
    }),
  };
}
