import { randomBytes } from 'node:crypto';
import type { Outcome } from '@reattach/core';
import {
  BackendError,
  type BackendErrorCode,
  CommandTelemetry,
  type CommandTelemetryOptions,
  type SshSession,
} from '@reattach/ssh-transport';
import { commandLine } from './routeros/command-line.ts';
import type { Statement } from './routeros/queries.ts';
import { type Parsed, parseReply, type Reply } from './routeros/reply.ts';

/** Low-cardinality names of commands: they appear in errors, spans and metrics. */
export type CommandName =
  | 'version'
  | 'probe serialize'
  | 'probe stats'
  | 'probe network'
  | 'read network'
  | 'read backend'
  | 'read sessions'
  | 'read fences'
  | 'add fence'
  | 'remove fence'
  | 'restore drop rule';

/** Commands that change the backend. When one of them fails after it was sent, its outcome is unknown. */
const EFFECTS: ReadonlySet<CommandName> = new Set(['add fence', 'remove fence', 'restore drop rule']);

/** The meaning of a complete reply. */
export interface Answer<T> {
  readonly value: T;
  readonly sentAtMs: number;
  readonly receivedAtMs: number;
}

export type RouterOsClientOptions = CommandTelemetryOptions;

/** Sends commands to RouterOS and accepts a reply only when it is complete. */
export class RouterOsClient {
  /** Of the SSH service. */
  readonly port: number;
  readonly #telemetry: CommandTelemetry;

  constructor(options: RouterOsClientOptions) {
    this.port = options.port;
    this.#telemetry = new CommandTelemetry(options);
  }

  /**
   * Sends `statements` as one line. An error that `interpret` throws is a failure of the command, in its error, span and metric.
   * @throws {BackendError} naming command, backend and cause; for a read the outcome is always `not-applied`
   * @throws `signal.reason` when `signal` aborts
   */
  run<T>(
    session: SshSession,
    name: CommandName,
    statements: readonly Statement[],
    signal: AbortSignal,
    interpret: (reply: Reply) => T,
  ): Promise<Answer<T>> {
    return this.#telemetry.measure(name, signal, async () => {
      try {
        const { reply, sentAtMs, receivedAtMs } = await exec(session, name, statements, signal);
        return { value: interpret(reply), sentAtMs, receivedAtMs };
      } catch (cause) {
        if (!(cause instanceof BackendError)) throw cause;
        throw new BackendError(cause.code, outcomeOf(name, cause.outcome), cause.detail, { cause });
      }
    });
  }
}

async function exec(
  session: SshSession,
  name: CommandName,
  statements: readonly Statement[],
  signal: AbortSignal,
): Promise<{ readonly reply: Reply; readonly sentAtMs: number; readonly receivedAtMs: number }> {
  const nonce = randomBytes(8).toString('hex');
  const { text, expected } = commandLine(statements, nonce);
  const { stdout, exitStatus, sentAtMs, receivedAtMs } = await session.exec(text, signal);
  const parsed = parseReply(stdout, nonce, expected);
  if (!parsed.ok) {
    const { code, detail } = parsed.fault;
    throw new BackendError(code, effectOf(name, code), detail);
  }
  // RouterOS sends 0 even for errors; any other status never comes with success.
  if (exitStatus !== 0) {
    throw new BackendError('REFUSED', 'unknown', `exit status ${exitStatus} after a complete reply`);
  }
  return { reply: parsed.value, sentAtMs, receivedAtMs };
}

/** The value, for `interpret`; the caller of the command adds its name and the backend. */
export function valueOf<T>(parsed: Parsed<T>): T {
  if (parsed.ok) return parsed.value;
  throw new BackendError(parsed.fault.code, 'unknown', parsed.fault.detail);
}

function outcomeOf(name: CommandName, outcome: Outcome): Outcome {
  return EFFECTS.has(name) ? outcome : 'not-applied';
}

/** A refused line was not carried out, because an effect is alone on its line. */
function effectOf(name: CommandName, code: BackendErrorCode): Outcome {
  return code === 'REFUSED' ? 'not-applied' : outcomeOf(name, 'unknown');
}
