import { randomBytes } from 'node:crypto';
import { SpanKind, trace } from '@opentelemetry/api';
import type { Clock, Outcome } from '@reattach/core';
import { RdsError, type RdsErrorCode } from './rds-error.ts';
import { commandLine } from './routeros/command-line.ts';
import type { Statement } from './routeros/queries.ts';
import { type Parsed, parseReply, type Reply } from './routeros/reply.ts';
import type { ExecResult, SshSession } from './ssh/ssh-session.ts';
import type { RdsMetrics } from './telemetry/instruments.ts';
import { recordFailure } from './telemetry/record-failure.ts';
import { ATTR_BACKEND, ATTR_SERVER_ADDRESS, ATTR_SERVER_PORT } from './telemetry/semconv.ts';

/** Low-cardinality names of commands: they appear in errors, spans and metrics. */
export type CommandName =
  | 'version'
  | 'probe serialize'
  | 'probe stats'
  | 'read backend'
  | 'read sessions'
  | 'read fences'
  | 'add fence'
  | 'remove fence';

/** Commands that change the backend. When one of them fails after it was sent, nobody knows whether it took effect. */
const EFFECTS: ReadonlySet<CommandName> = new Set(['add fence', 'remove fence']);

/** What a complete reply means. */
export interface Answer<T> {
  readonly value: T;
  readonly sentAtMs: number;
  readonly receivedAtMs: number;
}

export interface RouterOsClientOptions {
  /** Name of the backend. */
  readonly name: string;
  readonly host: string;
  readonly port: number;
  readonly clock: Clock;
  readonly metrics: RdsMetrics;
}

/** Says one command to RouterOS and believes the answer only when it is complete. */
export class RouterOsClient {
  readonly #name: string;
  readonly #host: string;
  readonly #port: number;
  readonly #clock: Clock;
  readonly #metrics: RdsMetrics;

  constructor({ name, host, port, clock, metrics }: RouterOsClientOptions) {
    this.#name = name;
    this.#host = host;
    this.#port = port;
    this.#clock = clock;
    this.#metrics = metrics;
  }

  /**
   * Sends `statements` as one line. What `interpret` throws is a failure of the command, in its error, span and metric.
   * @throws {RdsError} naming command, backend and cause; for a read the outcome is always `not-applied`
   * @throws `signal.reason` when `signal` aborts
   */
  async run<T>(
    session: SshSession,
    name: CommandName,
    statements: readonly Statement[],
    signal: AbortSignal,
    interpret: (reply: Reply) => T,
  ): Promise<Answer<T>> {
    const attributes = {
      [ATTR_SERVER_ADDRESS]: this.#host,
      [ATTR_SERVER_PORT]: this.#port,
      [ATTR_BACKEND]: this.#name,
    };
    const tracer = trace.getTracer('@reattach/rds-client');
    return await tracer.startActiveSpan(
      `exec ${name}`,
      { kind: SpanKind.CLIENT, attributes },
      async (span) => {
        const startedAtMs = this.#clock.now();
        let errorCode: RdsErrorCode | undefined;
        try {
          const { reply, sentAtMs, receivedAtMs } = await this.#exec(session, name, statements, signal);
          return { value: interpret(reply), sentAtMs, receivedAtMs };
        } catch (cause) {
          signal.throwIfAborted();
          const error = this.#failed(name, cause);
          errorCode = error.code;
          recordFailure(span, error);
          throw error;
        } finally {
          span.end();
          if (!signal.aborted) this.#metrics.commandEnded(name, this.#clock.now() - startedAtMs, errorCode);
        }
      },
    );
  }

  async #exec(
    session: SshSession,
    name: CommandName,
    statements: readonly Statement[],
    signal: AbortSignal,
  ): Promise<{ readonly reply: Reply; readonly sentAtMs: number; readonly receivedAtMs: number }> {
    const nonce = randomBytes(8).toString('hex');
    const { text, expected } = commandLine(statements, nonce);
    const { stdout, exitStatus, sentAtMs, receivedAtMs } = await session.exec(text, signal);
    const parsed = parseReply(stdout, nonce, expected);
    if (!parsed.ok)
      throw new RdsError(parsed.fault.code, effectOf(name, parsed.fault.code), parsed.fault.detail);
    refuseExitStatus(name, exitStatus);
    return { reply: parsed.value, sentAtMs, receivedAtMs };
  }

  #failed(name: CommandName, cause: unknown): RdsError {
    const error = cause instanceof RdsError ? cause : undefined;
    const detail = `Command "${name}" at backend ${this.#name} failed: ${error?.detail ?? 'unexpected error'}`;
    const outcome = outcomeOf(name, error?.outcome ?? 'unknown');
    return new RdsError(error?.code ?? 'UNAVAILABLE', outcome, detail, { cause });
  }
}

/** The value, for `interpret`; whoever runs the command adds its name and the backend. */
export function valueOf<T>(parsed: Parsed<T>): T {
  if (parsed.ok) return parsed.value;
  throw new RdsError(parsed.fault.code, 'unknown', parsed.fault.detail);
}

/** RouterOS sends 0 even for errors; anything else never comes with success. */
function refuseExitStatus(name: CommandName, exitStatus: ExecResult['exitStatus']): void {
  if (exitStatus === 0) return;
  throw new RdsError(
    'REFUSED',
    outcomeOf(name, 'unknown'),
    `exit status ${exitStatus} after a complete reply`,
  );
}

function outcomeOf(name: CommandName, outcome: Outcome): Outcome {
  return EFFECTS.has(name) ? outcome : 'not-applied';
}

/** A refused line was not carried out: an effect is alone on its line. */
function effectOf(name: CommandName, code: RdsErrorCode): Outcome {
  return code === 'REFUSED' ? 'not-applied' : outcomeOf(name, 'unknown');
}
