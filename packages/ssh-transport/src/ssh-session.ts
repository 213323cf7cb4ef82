import type { BackendError } from './backend-error.ts';

/** What one command printed. */
export interface ExecResult {
  readonly stdout: Uint8Array;
  readonly exitStatus: number;
  /** When the command was sent and when its output had ended, epoch ms. */
  readonly sentAtMs: number;
  readonly receivedAtMs: number;
}

/**
 * One SSH connection. Commands run one at a time in the order they were asked for; after any channel error, missing
 * exit status or time-out the connection is dropped, since it is unknown what the backend is still doing.
 */
export interface SshSession {
  /** Settles, never rejects, when the connection has ended for whatever reason. */
  readonly closed: Promise<BackendError>;
  /** Commands that ended in order: a connection that never completed one does not prove health. */
  readonly completedCommands: number;
  /**
   * Runs one command. A queued command can be aborted; one that was sent runs to its end or time limit whether or not
   * the caller still waits.
   * @throws {BackendError} UNAVAILABLE, TIMEOUT, INCOMPLETE or MALFORMED (too much output); outcome `not-applied` when the
   * command was not sent, else `unknown`
   * @throws `signal.reason` when `signal` aborts
   */
  exec(command: string, signal: AbortSignal): Promise<ExecResult>;
  /** Idempotent. */
  close(): Promise<void>;
}

/** Opens a connection. @throws {BackendError} @throws `signal.reason` */
export type Dial = (signal: AbortSignal) => Promise<SshSession>;
