import type { CacheFreshness } from '@reattach/core';
import type { Informer } from './informer.ts';
import type { Identified } from './object-cache.ts';

type Cache = Pick<Informer<Identified>, 'resource' | 'hasSynced' | 'freshAsOfMs' | 'state'>;

/** How current several caches are together: as current as the oldest. `caches` must not be empty. */
export function describeFreshness(caches: readonly Cache[], nowMs: number): CacheFreshness {
  const unsynced = caches.filter((cache) => !cache.hasSynced);
  if (unsynced.length > 0) {
    const names = unsynced.map(({ resource, state }) => `${resource.plural} (${state.detail})`);
    return { synced: false, freshAsOfMs: 0, detail: `not synced: ${names.join(', ')}` };
  }
  const oldest = caches.reduce((a, b) => (b.freshAsOfMs < a.freshAsOfMs ? b : a));
  const { freshAsOfMs } = oldest;
  const ageS = Math.round((nowMs - freshAsOfMs) / 1000);
  const troubled = caches.filter(({ state }) => state.kind === 'retrying' || state.kind === 'stopped');
  const why = troubled.map(({ state }) => `; ${state.detail}`).join('');
  return {
    synced: true,
    freshAsOfMs,
    detail: `oldest cache is ${oldest.resource.plural}, ${ageS} s old${why}`,
  };
}
