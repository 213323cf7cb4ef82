import type { Clock } from '@reattach/core';
import { RdsError } from '../../src/rds-error.ts';
import type { ExecResult, SshSession } from '../../src/ssh/ssh-session.ts';

/** A session without a network: answers what `answer` says. */
export class FakeSession implements SshSession {
  readonly commands: string[] = [];
  readonly closed: Promise<RdsError>;
  completedCommands = 0;
  isClosed = false;
  /** stdout of a command; its line `END-<nonce>` is appended when `answer` does not throw. */
  answer: (command: string) => string | Promise<string> = () => '';
  exitStatus = 0;
  readonly #clock: Clock;
  readonly #closed = Promise.withResolvers<RdsError>();

  constructor(clock: Clock) {
    this.#clock = clock;
    this.closed = this.#closed.promise;
  }

  async exec(command: string, signal: AbortSignal): Promise<ExecResult> {
    signal.throwIfAborted();
    this.commands.push(command);
    const sentAtMs = this.#clock.now();
    const printed = await this.answer(command);
    const end = /:put "(END-[0-9a-f]{16})"$/.exec(command)?.[1] ?? '';
    this.completedCommands += 1;
    const stdout = Buffer.from(printed.includes('failure:') ? printed : `${printed}${end}\r\n`);
    return { stdout, exitStatus: this.exitStatus, sentAtMs, receivedAtMs: this.#clock.now() };
  }

  /** The connection breaks. */
  drop(reason: RdsError = new RdsError('UNAVAILABLE', 'unknown', 'the backend closed the connection')): void {
    this.isClosed = true;
    this.#closed.resolve(reason);
  }

  async close(): Promise<void> {
    this.drop();
  }
}
