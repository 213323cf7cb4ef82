import { KubeApiError, type KubeApiErrorCode } from '@reattach/k8s-api';
import type { ApiResource } from './api-resource.ts';
import type { ReconnectReason } from './telemetry/instruments.ts';

/** The server answered with a state older than one seen before. */
export class StaleStateError extends Error {
  constructor(resourceVersion: string, seenResourceVersion: string) {
    super(`The server is at resourceVersion ${resourceVersion}, behind ${seenResourceVersion} seen before`);
  }
}

const REASONS: Readonly<Record<KubeApiErrorCode, ReconnectReason>> = {
  BAD_CONFIG: 'unexpected',
  UNAUTHORIZED: 'unauthorized',
  FORBIDDEN: 'forbidden',
  NOT_FOUND: 'not_found',
  CONFLICT: 'unexpected',
  GONE: 'gone',
  INVALID: 'invalid',
  TOO_MANY_REQUESTS: 'too_many_requests',
  SERVER_ERROR: 'server_error',
  UNAVAILABLE: 'unavailable',
  TIMEOUT: 'timeout',
  MALFORMED: 'malformed',
};

/** What an error means for the watch. */
export function reasonOf(error: unknown): ReconnectReason {
  if (error instanceof KubeApiError) return REASONS[error.code];
  return error instanceof StaleStateError ? 'stale' : 'unexpected';
}

/** Says what is wrong, and for a missing permission what to grant. */
export function describeFailure(
  reason: ReconnectReason,
  error: unknown,
  verb: 'list' | 'watch',
  { plural, group }: ApiResource,
): string {
  const text = error instanceof Error ? error.message : '';
  if (reason === 'forbidden') {
    return `may not ${verb} ${plural}: grant verb "${verb}" on resource "${plural}" in API group "${group}" (${text})`;
  }
  if (reason === 'eof') return `the server closed the watch of ${plural}`;
  if (reason === 'idle') return `the watch of ${plural} was silent for too long`;
  return `cannot ${verb} ${plural}: ${text}`;
}
