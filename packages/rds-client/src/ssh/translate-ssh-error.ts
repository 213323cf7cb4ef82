import type { Outcome } from '@reattach/core';
import { RdsError, type RdsErrorCode } from '../rds-error.ts';

/** ssh2 says in `level` which layer failed. Levels that are not listed mean that the connection broke. */
const CODE_BY_LEVEL: Readonly<Record<string, RdsErrorCode>> = {
  'client-authentication': 'AUTH_REFUSED',
  'client-timeout': 'TIMEOUT',
};

/** The one place where errors of ssh2 and of sockets become ours. Their texts name hosts and algorithms, no secrets. */
export function translateSshError(cause: unknown, outcome: Outcome): RdsError {
  if (cause instanceof RdsError) return cause;
  const level = cause instanceof Error && 'level' in cause ? String(cause.level) : '';
  const code = CODE_BY_LEVEL[level] ?? 'UNAVAILABLE';
  const text = cause instanceof Error ? cause.message : 'connection failed';
  return new RdsError(code, outcome, text, { cause });
}
