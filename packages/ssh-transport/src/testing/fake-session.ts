import type { Clock } from '@reattach/core';
import { BackendError } from '../backend-error.ts';
import type { ExecResult, SshSession } from '../ssh-session.ts';

/** A session without a network: `answer` supplies what each command prints. */
export class FakeSession implements SshSession {
  readonly commands: string[] = [];
  readonly closed: Promise<BackendError>;
  completedCommands = 0;
  isClosed = false;
  /** The standard output of a command; the command fails with what `answer` throws. */
  answer: (command: string) => string | Promise<string> = () => '';
  exitStatus = 0;
  readonly #clock: Clock;
  readonly #closed = Promise.withResolvers<BackendError>();

  constructor(clock: Clock) {
    this.#clock = clock;
    this.closed = this.#closed.promise;
  }

  async exec(command: string, signal: AbortSignal): Promise<ExecResult> {
    signal.throwIfAborted();
    this.commands.push(command);
    const sentAtMs = this.#clock.now();
    const stdout = Buffer.from(await this.answer(command));
    this.completedCommands += 1;
    return { stdout, exitStatus: this.exitStatus, sentAtMs, receivedAtMs: this.#clock.now() };
  }

  /** The connection breaks. */
  drop(
    reason: BackendError = new BackendError('UNAVAILABLE', 'unknown', 'the backend closed the connection'),
  ): void {
    this.isClosed = true;
    this.#closed.resolve(reason);
  }

  async close(): Promise<void> {
    this.drop();
  }
}
