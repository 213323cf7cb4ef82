import type { Outcome } from '@reattach/core';

/**
 * - `NOT_LEADER`: this replica does not hold the leader lease, or no longer surely.
 * - `FOREIGN_OWNER`: a Lease belongs to the controller of another attacher or cluster.
 * - `RECORDS_FULL`: a record does not fit into its Lease.
 *
 * In each case nothing was sent.
 */
export type K8sActionsErrorCode = 'NOT_LEADER' | 'FOREIGN_OWNER' | 'RECORDS_FULL';

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
