import { ipAddresses } from '@reattach/core';
import type { FenceEntry as ListedAddress } from '@reattach/tcp-evidence';
import { parseFenceComment } from './fence-comment.ts';
import type { FenceEntry } from './snapshot.ts';

/** Entries of the fence list that we wrote; any other is foreign and is never touched. */
export function ownEntries(entries: readonly FenceEntry[]): readonly ListedAddress[] {
  return entries.flatMap((entry) => {
    const record = parseFenceComment(entry.comment);
    const [address] = ipAddresses([entry.address]);
    if (!record || !address) return [];
    const standing = entry.disabled ? 'disabled' : entry.dynamic ? 'expires' : 'in-force';
    return [{ record: { ...record, addresses: [address] }, address, standing }];
  });
}

/** Only such an entry cuts an address off until it is removed. */
export function isInForce({ disabled, dynamic }: FenceEntry): boolean {
  return !disabled && !dynamic;
}
