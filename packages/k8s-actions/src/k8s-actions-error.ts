import type { Outcome } from '@reattach/core';

/** `NOT_LEADER`: the leader lease is not, or no longer surely, ours. Nothing was sent. */
export type K8sActionsErrorCode = 'NOT_LEADER';

/** The one error class of `@reattach/k8s-actions`; what the API server refused is a `KubeApiError`. */
export class K8sActionsError extends Error {
  override readonly name = 'K8sActionsError';
  readonly code: K8sActionsErrorCode;
  readonly outcome: Outcome;

  constructor(code: K8sActionsErrorCode, outcome: Outcome, message: string, options?: ErrorOptions) {
    super(`${code}: ${message}`, options);
    this.code = code;
    this.outcome = outcome;
  }
}
