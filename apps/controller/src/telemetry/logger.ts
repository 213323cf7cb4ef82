import { trace } from '@opentelemetry/api';
import type { LogFields, Logger } from '@reattach/core';
import { type DestinationStream, pino } from 'pino';
import type { Config } from '../config/config.ts';
import { prettyLine } from './pretty-line.ts';

const SECRET_KEYS = ['privateKey', 'passphrase', 'password', 'token', 'authorization'];
/** Secrets are cut out at the top level and one and two levels down. */
const REDACTED_PATHS = SECRET_KEYS.flatMap((key) => [key, `*.${key}`, `*.*.${key}`]);

/** How log lines are written. */
export interface LoggerOptions {
  readonly level: Config['log']['level'];
  readonly format: Config['log']['format'];
  /** Default: standard output, written synchronously so that the last lines before an exit are not lost. */
  readonly destination?: DestinationStream;
}

/** One JSON object per line: `level`, `time` (ISO), `msg`, the fields, and `traceId` and `spanId` inside a span. */
export function createLogger({ level, format, destination = pino.destination(1) }: LoggerOptions): Logger {
  const lines = pino(
    {
      level,
      base: null,
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
      redact: { paths: REDACTED_PATHS, censor: '[redacted]' },
      mixin: activeSpan,
    },
    format === 'pretty' ? { write: (line) => destination.write(prettyLine(line)) } : destination,
  );
  return {
    debug: (message, fields = {}) => lines.debug(withCode(fields), message),
    info: (message, fields = {}) => lines.info(withCode(fields), message),
    warn: (message, fields = {}) => lines.warn(withCode(fields), message),
    error: (message, fields = {}) => lines.error(withCode(fields), message),
  };
}

/** Lifts `code` and `outcome` of an error to the top level, where they can be searched. */
function withCode(fields: LogFields): LogFields {
  const { err } = fields;
  if (!(err instanceof Error)) return fields;
  return {
    code: 'code' in err ? err.code : undefined,
    outcome: 'outcome' in err ? err.outcome : undefined,
    ...fields,
  };
}

function activeSpan(): object {
  const context = trace.getActiveSpan()?.spanContext();
  return context ? { traceId: context.traceId, spanId: context.spanId } : {};
}
