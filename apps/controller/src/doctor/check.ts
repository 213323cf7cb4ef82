import type { BackendCheck } from '@reattach/core';

/** One thing that the doctor examined, in the cluster or at a backend. */
export type Check = BackendCheck;

export function ok(name: string, detail: string): Check {
  return { name, state: 'ok', detail };
}

export function warning(name: string, detail: string, fix?: string): Check {
  return { name, state: 'warning', detail, fix };
}

export function failed(name: string, detail: string, fix?: string): Check {
  return { name, state: 'failed', detail, fix };
}
