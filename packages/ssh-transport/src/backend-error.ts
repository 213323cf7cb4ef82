import type { Outcome } from '@reattach/core';

/**
 * - `BAD_CONFIG`: an option is wrong; nothing was sent.
 * - `BAD_HOST_KEY`: the backend showed another host key than the pinned one.
 * - `AUTH_REFUSED`: the backend refused the key of the user.
 * - `UNAVAILABLE`: no connection, or it broke.
 * - `TIMEOUT`: connecting or a command took too long; the connection was dropped.
 * - `INCOMPLETE`: the reply ended before its end marker.
 * - `MALFORMED`: the reply is complete but not what was asked for.
 * - `REFUSED`: the backend answered with an error text.
 * - `UNSUPPORTED_VERSION`: RouterOS is older than 7.16.
 * - `NOT_FENCED`: the read-back does not show the fence.
 * - `STILL_FENCED`: the read-back still shows the fence.
 * - `INVALID_VALUE`: a value cannot be sent to the backend as it is; nothing was sent.
 * - `CLOSED`: the client was stopped or never started.
 */
export type BackendErrorCode =
  | 'BAD_CONFIG'
  | 'BAD_HOST_KEY'
  | 'AUTH_REFUSED'
  | 'UNAVAILABLE'
  | 'TIMEOUT'
  | 'INCOMPLETE'
  | 'MALFORMED'
  | 'REFUSED'
  | 'UNSUPPORTED_VERSION'
  | 'NOT_FENCED'
  | 'STILL_FENCED'
  | 'INVALID_VALUE'
  | 'CLOSED';

/** The one error class of `@reattach/rds-client`. The message begins with the code. */
export class BackendError extends Error {
  override readonly name = 'BackendError';
  readonly code: BackendErrorCode;
  readonly outcome: Outcome;
  /** The message without its code. */
  readonly detail: string;

  constructor(code: BackendErrorCode, outcome: Outcome, detail: string, options?: ErrorOptions) {
    super(`${code}: ${detail}`, options);
    this.code = code;
    this.outcome = outcome;
    this.detail = detail;
  }
}
