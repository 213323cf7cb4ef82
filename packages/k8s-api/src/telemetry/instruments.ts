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

/** Every instrument of this package. Each measurement carries `reattach.operation`, of a failure `error.type`, our code, too. */
export const INSTRUMENTS = {
  requestDuration: {
    name: 'reattach.k8s.request.duration',
    unit: 's',
    description: 'Time from sending a request to the API server to its parsed answer.',
  },
} as const;

/** Seconds. A request takes some ms; its limit is 10 s. */
const REQUEST_BOUNDARIES = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];

/** From the meter provider of the moment. */
export function createInstruments(): { readonly requestDuration: Histogram } {
  const { name, unit, description } = INSTRUMENTS.requestDuration;
  const advice = { explicitBucketBoundaries: REQUEST_BOUNDARIES };
  return { requestDuration: metrics.getMeter(SCOPE).createHistogram(name, { unit, description, advice }) };
}
