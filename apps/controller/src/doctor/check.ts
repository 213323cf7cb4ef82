import type { BackendCheck, Mode } from '@reattach/core';

/** One thing that the doctor examined, in the cluster or at a backend. */
export type Check = BackendCheck;

export function ok(name: string, detail: string): Check {
  return { name, state: 'ok', detail };
}

export function warning(name: string, detail: string, fix: string): Check {
  return { name, state: 'warning', detail, fix };
}

export function failed(name: string, detail: string, fix: string): Check {
  return { name, state: 'failed', detail, fix };
}

/** A problem that keeps mode fence from working; a warning in mode observe, which acts on nothing. */
export function gate(mode: Mode): typeof failed {
  return mode === 'fence' ? failed : warning;
}

/** Names for a message, the first five of them. */
export function someOf(names: readonly string[]): string {
  const [shown, rest] = [names.slice(0, 5), names.length - 5];
  return rest > 0 ? `${shown.join(', ')} and ${rest} more` : shown.join(', ');
}

export function messageOf(err: unknown): string {
  return err instanceof Error ? err.message : String(err);
}
