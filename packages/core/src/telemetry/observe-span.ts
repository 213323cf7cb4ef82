import { SpanStatusCode, trace } from '@opentelemetry/api';
import type { StorageQuery } from '../model/storage-query.ts';
import type { StorageReading } from '../model/storage-reading.ts';
import type { StorageBackend } from '../ports/storage-backend.ts';
import { evidenceAttributes } from './evidence-attributes.ts';
import {
  ATTR_BACKEND,
  ATTR_ENFORCEMENT,
  ATTR_ERROR_TYPE,
  ATTR_FENCES,
  ATTR_LIVE_HOSTS,
  ATTR_NODE_NAME,
  ATTR_SUSPECTS,
} from './semconv.ts';

const tracer = trace.getTracer('@reattach/core');

/** Suspects whose evidence one span carries. */
const MAX_SUSPECTS = 32;

/** Asks a backend in a span that carries what it said about each suspect, and an error when it could not be read. */
export function observeInSpan(
  backend: StorageBackend,
  query: StorageQuery,
  signal: AbortSignal,
): Promise<StorageReading> {
  const attributes = { [ATTR_BACKEND]: backend.name, [ATTR_SUSPECTS]: query.suspects.length };
  return tracer.startActiveSpan('observe storage', { attributes }, async (span) => {
    try {
      const reading = await backend.observe(query, signal);
      const { evidence, fences, enforcement, liveHosts } = reading;
      for (const [node, said] of [...evidence].slice(0, MAX_SUSPECTS)) {
        span.addEvent('evidence', { [ATTR_NODE_NAME]: node, ...evidenceAttributes(said) });
      }
      if (liveHosts !== undefined) span.setAttribute(ATTR_LIVE_HOSTS, liveHosts);
      if (enforcement) span.setAttribute(ATTR_ENFORCEMENT, enforcement.kind);
      if (fences) span.setAttribute(ATTR_FENCES, fences.length);
      else span.setAttribute(ATTR_ERROR_TYPE, whyUnread(reading)).setStatus({ code: SpanStatusCode.ERROR });
      return reading;
    } finally {
      span.end();
    }
  });
}

/** A backend that could not be read says the same of every suspect. */
function whyUnread({ evidence }: StorageReading): string {
  const [said] = evidence.values();
  return said?.kind === 'unknown' ? said.reason : 'backend-unreachable';
}
