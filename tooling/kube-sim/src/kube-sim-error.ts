/** Reasons of the Kubernetes Status objects the simulator answers with. */
export type StatusReason =
  | 'BadRequest'
  | 'NotFound'
  | 'MethodNotAllowed'
  | 'AlreadyExists'
  | 'Conflict'
  | 'Expired'
  | 'UnsupportedMediaType'
  | 'Invalid'
  | 'InternalError'
  | 'Timeout';

const HTTP_STATUS: Readonly<Record<StatusReason, number>> = {
  BadRequest: 400,
  NotFound: 404,
  MethodNotAllowed: 405,
  AlreadyExists: 409,
  Conflict: 409,
  Expired: 410,
  UnsupportedMediaType: 415,
  Invalid: 422,
  InternalError: 500,
  Timeout: 504,
};

/** A `meta/v1` Status. */
export interface StatusObject {
  readonly kind: 'Status';
  readonly apiVersion: 'v1';
  readonly metadata: Readonly<Record<string, never>>;
  readonly status: 'Success' | 'Failure';
  readonly message?: string;
  readonly reason?: string;
  readonly details?: StatusDetails;
  readonly code: number;
}

/** `details` of a Status. */
export interface StatusDetails {
  readonly name?: string;
  readonly group?: string;
  readonly kind?: string;
  readonly uid?: string;
  readonly retryAfterSeconds?: number;
}

/** The one error class of the simulator: a refusal an API server would give. `outcome` is always `not-applied`. */
export class KubeSimError extends Error {
  override readonly name = 'KubeSimError';
  readonly code: StatusReason;
  readonly outcome = 'not-applied';
  readonly httpStatus: number;
  readonly details: StatusDetails | undefined;
  readonly #plainMessage: string;

  constructor(code: StatusReason, message: string, details?: StatusDetails) {
    super(`${code}: ${message}`);
    this.code = code;
    this.httpStatus = HTTP_STATUS[code];
    this.details = details;
    this.#plainMessage = message;
  }

  toStatus(): StatusObject {
    return failureStatus(this.httpStatus, this.code, this.#plainMessage, this.details);
  }
}

export function failureStatus(
  code: number,
  reason: string,
  message: string,
  details?: StatusDetails,
): StatusObject {
  return {
    kind: 'Status',
    apiVersion: 'v1',
    metadata: {},
    status: 'Failure',
    message,
    reason,
    ...(details && { details }),
    code,
  };
}
