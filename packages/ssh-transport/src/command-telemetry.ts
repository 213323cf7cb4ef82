import { SpanKind, trace } from '@opentelemetry/api';
import type { Clock } from '@reattach/core';
import { BackendError, type BackendErrorCode } from './backend-error.ts';
import type { SshMetrics } from './telemetry/instruments.ts';
import { recordFailure } from './telemetry/record-failure.ts';
import { ATTR_BACKEND, ATTR_SERVER_ADDRESS, ATTR_SERVER_PORT } from './telemetry/semconv.ts';

export interface CommandTelemetryOptions {
  /** Name of the backend. */
  readonly name: string;
  readonly host: string;
  readonly port: number;
  readonly clock: Clock;
  readonly metrics: SshMetrics;
}

/** Gives each command sent to a backend its span, its metric and an error that names both. */
export class CommandTelemetry {
  readonly #options: CommandTelemetryOptions;

  constructor(options: CommandTelemetryOptions) {
    this.#options = options;
  }

  /**
   * Runs `work`, which sends the command and interprets its reply.
   * @param command low-cardinality name, for span, metric and message
   * @throws {BackendError} what `work` threw, with the command and the backend in its message; any other error becomes
   * UNAVAILABLE with outcome `unknown`
   * @throws `signal.reason` when `signal` aborts
   */
  async measure<T>(command: string, signal: AbortSignal, work: () => Promise<T>): Promise<T> {
    const { name, host, port, clock, metrics } = this.#options;
    const attributes = { [ATTR_SERVER_ADDRESS]: host, [ATTR_SERVER_PORT]: port, [ATTR_BACKEND]: name };
    const tracer = trace.getTracer('@reattach/ssh-transport');
    return await tracer.startActiveSpan(
      `exec ${command}`,
      { kind: SpanKind.CLIENT, attributes },
      async (span) => {
        const startedAtMs = clock.now();
        let errorCode: BackendErrorCode | undefined;
        try {
          return await work();
        } catch (cause) {
          signal.throwIfAborted();
          const error = failureOf(command, name, cause);
          errorCode = error.code;
          recordFailure(span, error);
          throw error;
        } finally {
          span.end();
          if (!signal.aborted) metrics.commandEnded(command, clock.now() - startedAtMs, errorCode);
        }
      },
    );
  }
}

function failureOf(command: string, backend: string, cause: unknown): BackendError {
  const error = cause instanceof BackendError ? cause : undefined;
  const detail = `Command "${command}" at backend ${backend} failed: ${error?.detail ?? 'unexpected error'}`;
  return new BackendError(error?.code ?? 'UNAVAILABLE', error?.outcome ?? 'unknown', detail, { cause });
}
