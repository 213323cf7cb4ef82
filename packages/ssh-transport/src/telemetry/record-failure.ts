import { type Span, SpanStatusCode } from '@opentelemetry/api';
import type { BackendError } from '../backend-error.ts';
import { ATTR_ERROR_TYPE } from './semconv.ts';

/** Says on a span what its work failed with. */
export function recordFailure(span: Span, error: BackendError): void {
  span.setAttribute(ATTR_ERROR_TYPE, error.code);
  span.setStatus({ code: SpanStatusCode.ERROR, message: error.detail });
}
