import type { CacheFreshness } from './facts.ts';

/**
 * Why the caches are too old to decide by; `undefined` when they are current. What a stale cache lacks may exist, so its gaps
 * prove nothing.
 * @param maxCacheAgeMs oldest age that counts as current, ms
 */
export function staleCacheReason(
  { synced, freshAsOfMs, detail }: CacheFreshness,
  maxCacheAgeMs: number,
  nowMs: number,
): string | undefined {
  if (!synced) return `Caches are not synced: ${detail}`;
  const ageMs = nowMs - freshAsOfMs;
  return ageMs <= maxCacheAgeMs ? undefined : `Caches are ${(ageMs / 1000).toFixed(1)} s old: ${detail}`;
}
