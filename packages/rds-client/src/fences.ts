import { type Fence, type FenceRecord, ipAddresses } from '@reattach/core';
import { parseFenceComment } from './fence-comment.ts';
import type { FenceEntry } from './snapshot.ts';

/** Since when each fence was seen with the same addresses, by fence id. */
export type FenceMemory = ReadonlyMap<string, { readonly addresses: string; readonly seenSinceMs: number }>;

/** An entry of the fence list that we wrote. */
export interface OwnEntry {
  readonly fence: FenceRecord;
  readonly entry: FenceEntry;
}

/** Entries whose comment is ours; any other is somebody else's and is never touched. */
export function ownEntries(entries: readonly FenceEntry[]): readonly OwnEntry[] {
  return entries.flatMap((entry) => {
    const fence = parseFenceComment(entry.comment);
    return fence ? [{ fence, entry }] : [];
  });
}

/** Only such an entry cuts an address off until somebody removes it. */
export function isInForce({ disabled, dynamic }: FenceEntry): boolean {
  return !disabled && !dynamic;
}

/**
 * Entries in force, grouped by fence. When the entries of one fence differ, the oldest comment names it.
 * @param readAtMs when the entries were read, epoch ms
 * @param enforced the drop rule is in force; a list nobody uses cuts nothing, so the time counts from when it is
 */
export function readFences(
  entries: readonly FenceEntry[],
  enforced: boolean,
  memory: FenceMemory,
  readAtMs: number,
): { readonly fences: readonly Fence[]; readonly memory: FenceMemory } {
  const byId = Map.groupBy(
    ownEntries(entries).filter(({ entry }) => isInForce(entry)),
    ({ fence }) => fence.id,
  );
  const next = new Map<string, { addresses: string; seenSinceMs: number }>();
  const fences = [...byId].map(([id, own]): Fence => {
    const addresses = [...new Set(own.map(({ entry }) => entry.address))].toSorted();
    const key = addresses.join(' ');
    const known = memory.get(id);
    const seenSinceMs = enforced && known?.addresses === key ? known.seenSinceMs : readAtMs;
    if (enforced) next.set(id, { addresses: key, seenSinceMs });
    const oldest = own.reduce((a, b) => (b.fence.fencedAtMs < a.fence.fencedAtMs ? b : a));
    return {
      ...oldest.fence,
      addresses: ipAddresses(addresses),
      inForce: ipAddresses(addresses),
      seenSinceMs,
    };
  });
  return { fences, memory: next };
}
