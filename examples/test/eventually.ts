import { setTimeout } from 'node:timers/promises';

/** Long enough for a busy machine; a test that passes does not wait for it. */
const TIMEOUT_MS = 120_000;

/** Resolves once `condition` holds. @throws after two minutes, with what `found` says */
export async function eventually(condition: () => boolean, found: () => unknown = () => ''): Promise<void> {
  for (const endMs = Date.now() + TIMEOUT_MS; !condition(); await setTimeout(20))
    if (Date.now() > endMs) throw new Error(`Expected ${String(condition)}, got ${JSON.stringify(found())}`);
}
