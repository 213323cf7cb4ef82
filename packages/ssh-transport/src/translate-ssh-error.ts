import type { Outcome } from '@reattach/core';
import { BackendError, type BackendErrorCode } from './backend-error.ts';

/** ssh2 says in `level` which layer failed. Levels that are not listed mean that the connection broke. */
const CODE_BY_LEVEL: Readonly<Record<string, BackendErrorCode>> = {
  'client-authentication': 'AUTH_REFUSED',
  'client-timeout': 'TIMEOUT',
};

/** The one place where errors of ssh2 and of sockets become ours. Their texts name hosts and algorithms, no secrets. */
export function translateSshError(cause: unknown, outcome: Outcome): BackendError {
  if (cause instanceof BackendError) return cause;
  const level = cause instanceof Error && 'level' in cause ? String(cause.level) : '';
  const code = CODE_BY_LEVEL[level] ?? 'UNAVAILABLE';
  const text = cause instanceof Error ? cause.message : 'connection failed';
  return new BackendError(code, outcome, text, { cause });
}
