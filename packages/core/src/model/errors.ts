/** What an error leaves behind: surely nothing, or possibly a change that must be re-read before acting again. */
export type Outcome = 'not-applied' | 'unknown';

/**
 * - `ATTACHMENT_CONFLICT`: the volume is attached to another node than the one asked for.
 * - `NOT_ATTACHED`: an operation needs an attachment that is not tracked.
 * - `MIGRATION_LIMIT`: a third node was asked for; a live migration has two.
 * - `ALREADY_RUNNING`: `start()` while running.
 * - `STORE_FAILED`: the optional attachment store could not be written; the change was rolled back.
 */
export type CoreErrorCode =
  | 'ATTACHMENT_CONFLICT'
  | 'NOT_ATTACHED'
  | 'MIGRATION_LIMIT'
  | 'ALREADY_RUNNING'
  | 'STORE_FAILED';

/** The one error class of `@reattach/core`. The message begins with the code. */
export class CoreError extends Error {
  override readonly name = 'CoreError';
  readonly code: CoreErrorCode;
  readonly outcome: Outcome;

  constructor(code: CoreErrorCode, outcome: Outcome, message: string, options?: ErrorOptions) {
    super(`${code}: ${message}`, options);
    this.code = code;
    this.outcome = outcome;
  }
}
