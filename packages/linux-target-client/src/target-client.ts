import { randomBytes } from 'node:crypto';
import type { Outcome } from '@reattach/core';
import {
  BackendError,
  type BackendErrorCode,
  CommandTelemetry,
  type CommandTelemetryOptions,
  type SshSession,
} from '@reattach/ssh-transport';
import { parseReply, type Reply, type ReplyFault } from './reply/reply.ts';

/** Requests of the forced command; low-cardinality names for spans and metrics. */
export type Verb = 'read' | 'fence' | 'unfence';

/** The meaning of a complete reply. */
export interface Answer<T> {
  readonly value: T;
  readonly sentAtMs: number;
  readonly receivedAtMs: number;
}

/** Longest request, characters: `deploy/linux-target/PROTOCOL.md`, "Requests". */
const MAX_REQUEST_CHARACTERS = 4_096;
const REQUEST = /^[A-Za-z0-9 =.,:_/+-]+$/;

/** Codes of error replies that leave the target unchanged, by what they mean to a caller. */
const REFUSALS: Readonly<Record<string, { readonly code: BackendErrorCode; readonly outcome: Outcome }>> = {
  invalid: { code: 'INVALID_VALUE', outcome: 'not-applied' },
  busy: { code: 'REFUSED', outcome: 'not-applied' },
  'no-sudo': { code: 'REFUSED', outcome: 'not-applied' },
  failed: { code: 'REFUSED', outcome: 'unknown' },
  'too-large': { code: 'MALFORMED', outcome: 'unknown' },
};

/** Sends one request per command and accepts a reply only when it is complete. */
export class TargetClient {
  readonly #telemetry: CommandTelemetry;

  constructor(options: CommandTelemetryOptions) {
    this.#telemetry = new CommandTelemetry(options);
  }

  /**
   * @param words the request after verb and nonce
   * @param interpret what it throws as a {@link TypeError} makes the reply MALFORMED
   * @throws {BackendError} naming command, backend and cause; for `read` the outcome is always `not-applied`
   * @throws `signal.reason` when `signal` aborts
   */
  run<T>(
    session: SshSession,
    verb: Verb,
    words: readonly string[],
    signal: AbortSignal,
    interpret: (reply: Reply) => T,
  ): Promise<Answer<T>> {
    return this.#telemetry.measure(verb, signal, async () => {
      const nonce = randomBytes(8).toString('hex');
      const request = [verb, nonce, ...words].join(' ');
      if (request.length > MAX_REQUEST_CHARACTERS || !REQUEST.test(request)) {
        throw new BackendError(
          'INVALID_VALUE',
          'not-applied',
          `the request "${request.slice(0, 200)}" cannot be sent`,
        );
      }
      try {
        const { stdout, sentAtMs, receivedAtMs } = await session.exec(request, signal);
        const parsed = parseReply(stdout, verb, nonce);
        if (!parsed.ok) throw faultError(parsed.fault);
        return { value: interpret(parsed.value), sentAtMs, receivedAtMs };
      } catch (cause) {
        if (cause instanceof TypeError) throw failed('MALFORMED', verb, 'unknown', cause.message, cause);
        if (!(cause instanceof BackendError)) throw cause;
        throw failed(cause.code, verb, cause.outcome, cause.detail, cause);
      }
    });
  }
}

function faultError(fault: ReplyFault): BackendError {
  if (fault.kind !== 'refusal')
    return new BackendError(
      fault.kind === 'incomplete' ? 'INCOMPLETE' : 'MALFORMED',
      'unknown',
      fault.detail,
    );
  const { code, outcome } = REFUSALS[fault.code] ?? { code: 'REFUSED', outcome: 'unknown' };
  return new BackendError(code, outcome, `the target refused (${fault.code}): ${fault.detail}`);
}

function failed(
  code: BackendErrorCode,
  verb: Verb,
  outcome: Outcome,
  detail: string,
  cause: Error,
): BackendError {
  return new BackendError(code, verb === 'read' ? 'not-applied' : outcome, detail, { cause });
}
