import { setTimeout as sleep } from 'node:timers/promises';

/** Waits until `condition` holds. @throws naming `what` when it does not within `timeoutMs`. */
export async function until(
  what: string | (() => string),
  timeoutMs: number,
  condition: () => boolean | Promise<boolean>,
  intervalMs = 50,
): Promise<void> {
  const endMs = Date.now() + timeoutMs;
  while (!(await condition())) {
    if (Date.now() > endMs) {
      throw new Error(
        `Waited ${timeoutMs / 1_000} s in vain for ${typeof what === 'string' ? what : what()}`,
      );
    }
    await sleep(intervalMs);
  }
}
