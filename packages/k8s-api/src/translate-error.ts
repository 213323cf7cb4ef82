import type { Outcome } from '@reattach/core';
import { asObject, objectAt, textAt } from './json-reader.ts';
import { KubeApiError, type KubeApiErrorCode, type KubeApiErrorDetail } from './kube-api-error.ts';

/** A GET changes nothing, whatever becomes of it; anything else may have been carried out once it was sent. */
export type RequestKind = 'read' | 'write';

const CODES: Readonly<Record<number, KubeApiErrorCode>> = {
  401: 'UNAUTHORIZED',
  403: 'FORBIDDEN',
  404: 'NOT_FOUND',
  409: 'CONFLICT',
  410: 'GONE',
  429: 'TOO_MANY_REQUESTS',
};

/** Steps that come before the first byte of a request is sent. */
const CONNECT_SYSCALLS: ReadonlySet<unknown> = new Set(['connect', 'getaddrinfo']);
/** Undici: no TCP or TLS connection in time. Node: every address of the host refused (an AggregateError). */
const CONNECT_CODES: ReadonlySet<unknown> = new Set(['UND_ERR_CONNECT_TIMEOUT', 'ECONNREFUSED']);
/** Refusals of a server's certificate, by OpenSSL's and Node's names. */
const CERTIFICATE_CODE = /^(ERR_TLS_|CERT_|DEPTH_ZERO_|SELF_SIGNED_|UNABLE_TO_)/;

function outcomeOf(kind: RequestKind): Outcome {
  return kind === 'read' ? 'not-applied' : 'unknown';
}

/** Says what an HTTP answer other than 2xx means. `body` may be a Status object, as JSON. */
export function fromResponse(
  kind: RequestKind,
  what: string,
  status: number,
  body: string,
  retryAfter: string | undefined,
  nowMs: number,
): KubeApiError {
  const refused = status >= 400 && status < 500;
  const retryAfterMs = parseRetryAfter(retryAfter, nowMs);
  return statusError(
    CODES[status] ?? (refused ? 'INVALID' : 'SERVER_ERROR'),
    refused ? 'not-applied' : outcomeOf(kind),
    what,
    status,
    parseJson(body),
    retryAfterMs,
  );
}

/** Says what the object of an ERROR event in a watch means: a Status, or else `MALFORMED`. */
export function fromWatchStatus(object: unknown): KubeApiError {
  const status = asObject(object)?.['code'];
  if (typeof status !== 'number') {
    return new KubeApiError('MALFORMED', 'not-applied', 'watch sent an ERROR event without a Status');
  }
  const code = CODES[status] ?? (status >= 400 && status < 500 ? 'INVALID' : 'SERVER_ERROR');
  return statusError(code, 'not-applied', 'watch', status, object, undefined);
}

/** Says what a failure below HTTP means. The cause carries no request headers, so no credentials. */
export function fromTransport(kind: RequestKind, what: string, cause: unknown): KubeApiError {
  const error = asObject(cause) ?? {};
  const unsent =
    CONNECT_SYSCALLS.has(error['syscall']) ||
    CONNECT_CODES.has(error['code']) ||
    (typeof error['code'] === 'string' && CERTIFICATE_CODE.test(error['code']));
  const message = `${what} failed: ${cause instanceof Error ? cause.message || String(error['code']) : 'unknown error'}`;
  return new KubeApiError('UNAVAILABLE', unsent ? 'not-applied' : outcomeOf(kind), message, { cause });
}

/** The request was not answered in time. */
export function timedOut(kind: RequestKind, what: string, timeoutMs: number): KubeApiError {
  return new KubeApiError('TIMEOUT', outcomeOf(kind), `${what} was not answered within ${timeoutMs} ms`);
}

/** The client was disposed before the answer came. */
export function disposed(kind: RequestKind, what: string): KubeApiError {
  return new KubeApiError('UNAVAILABLE', outcomeOf(kind), `${what} was cut off: the API client was disposed`);
}

/** The answer was read and is not JSON. A parser's message quotes its input, so it is left out. */
export function malformed(kind: RequestKind, what: string): KubeApiError {
  return new KubeApiError(
    'MALFORMED',
    outcomeOf(kind),
    `${what} was answered with something that is not JSON`,
  );
}

/**
 * No credentials: an exec plugin failed, a token or certificate file cannot be read. What a plugin printed may be a
 * secret, so only a system error's code and path are kept.
 */
export function noCredentials(what: string, cause: unknown): KubeApiError {
  const message = `${what} was not sent: no credentials`;
  return new KubeApiError('UNAUTHORIZED', 'not-applied', `${message}${describeFileError(cause)}`);
}

/** The kubeconfig or service account cannot be used. A YAML error quotes the file, so it is left out. */
export function badConfig(message: string, cause?: unknown): KubeApiError {
  return new KubeApiError('BAD_CONFIG', 'not-applied', `${message}${describeFileError(cause)}`);
}

function describeFileError(cause: unknown): string {
  const error = asObject(cause) ?? {};
  const code = textAt(error, 'code');
  const path = textAt(error, 'path');
  return code === undefined ? '' : ` (${path === undefined ? code : `${code} ${path}`})`;
}

function statusError(
  code: KubeApiErrorCode,
  outcome: Outcome,
  what: string,
  status: number,
  body: unknown,
  retryAfterMs: number | undefined,
): KubeApiError {
  const object = asObject(body) ?? {};
  const reason = textAt(object, 'reason');
  const message = textAt(object, 'message');
  const retrySeconds = objectAt(object, 'details')['retryAfterSeconds'];
  const retryMs = retryAfterMs ?? (typeof retrySeconds === 'number' ? retrySeconds * 1000 : undefined);
  const detail: KubeApiErrorDetail = {
    status,
    ...(reason !== undefined && { reason }),
    ...(retryMs !== undefined && { retryAfterMs: retryMs }),
  };
  return new KubeApiError(
    code,
    outcome,
    `${what}: HTTP ${status}${message === undefined ? '' : `, ${message}`}`,
    detail,
  );
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined; // a proxy's HTML page, or nothing: the status says enough
  }
}

/** `Retry-After` is seconds or an HTTP date. */
function parseRetryAfter(header: string | undefined, nowMs: number): number | undefined {
  if (header === undefined) return undefined;
  if (/^\d+$/.test(header)) return Number(header) * 1000;
  const atMs = Date.parse(header);
  return Number.isNaN(atMs) ? undefined : Math.max(atMs - nowMs, 0);
}
