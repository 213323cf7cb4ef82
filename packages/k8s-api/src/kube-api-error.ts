import type { Outcome } from '@reattach/core';

/**
 * - `BAD_CONFIG`: the kubeconfig or service account cannot be used; thrown by `loadKubeApi` only.
 * - `UNAUTHORIZED` 401, or no credentials could be obtained; `FORBIDDEN` 403, `NOT_FOUND` 404, `CONFLICT` 409, `GONE` 410, `INVALID` other 4xx,
 *   `TOO_MANY_REQUESTS` 429, `SERVER_ERROR` 5xx: what the server said.
 * - `UNAVAILABLE`: no connection, or it broke. `TIMEOUT`: no answer in time. `MALFORMED`: the answer is not JSON.
 */
export type KubeApiErrorCode =
  | 'BAD_CONFIG'
  | 'UNAUTHORIZED'
  | 'FORBIDDEN'
  | 'NOT_FOUND'
  | 'CONFLICT'
  | 'GONE'
  | 'INVALID'
  | 'TOO_MANY_REQUESTS'
  | 'SERVER_ERROR'
  | 'UNAVAILABLE'
  | 'TIMEOUT'
  | 'MALFORMED';

/** What the API server added to its refusal. */
export interface KubeApiErrorDetail extends ErrorOptions {
  readonly status?: number;
  /** `reason` of the Kubernetes Status object, e.g. `Expired`. */
  readonly reason?: string;
  readonly retryAfterMs?: number;
}

/** The one error class of `@reattach/k8s-api`. */
export class KubeApiError extends Error {
  override readonly name = 'KubeApiError';
  readonly code: KubeApiErrorCode;
  readonly outcome: Outcome;
  readonly status: number | undefined;
  readonly reason: string | undefined;
  readonly retryAfterMs: number | undefined;

  constructor(code: KubeApiErrorCode, outcome: Outcome, message: string, detail: KubeApiErrorDetail = {}) {
    super(`${code}: ${message}`, detail);
    this.code = code;
    this.outcome = outcome;
    this.status = detail.status;
    this.reason = detail.reason;
    this.retryAfterMs = detail.retryAfterMs;
  }
}
