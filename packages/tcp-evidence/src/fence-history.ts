import { type Fence, type FenceRecord, type StorageAddress, unionOfAddresses } from '@reattach/core';
import { canonicalIp } from './canonical-ip.ts';

/** One address in the backend's fence list that is ours. */
export interface FenceEntry {
  readonly record: FenceRecord;
  readonly address: StorageAddress;
  /** `in-force`: it cuts the address off until it is removed. */
  readonly standing: 'in-force' | 'disabled' | 'expires';
}

/** What is remembered of fences. Immutable. */
export interface FenceHistory {
  /** Since when each address has been cut off, by address. */
  readonly since: ReadonlyMap<string, number>;
  /** Every fence that was seen and not lifted by this process, by id, with all addresses it ever had. */
  readonly seen: ReadonlyMap<string, FenceRecord>;
}

export const NO_FENCES: FenceHistory = { since: new Map(), seen: new Map() };

/** The fences of one reading, those included of which entries have disappeared, and the history after it. */
export function foldFences(
  before: FenceHistory,
  entries: readonly FenceEntry[],
  { isEnforced, receivedAtMs }: { readonly isEnforced: boolean; readonly receivedAtMs: number },
): { readonly fences: readonly Fence[]; readonly history: FenceHistory } {
  const since = new Map<string, number>();
  for (const { address, standing } of entries) {
    const key = keyOf(address);
    if (isEnforced && standing === 'in-force') since.set(key, before.since.get(key) ?? receivedAtMs);
  }
  const owners = new Map(entries.map(({ record, address }) => [keyOf(address), record.id]));
  const seen = new Map<string, FenceRecord>();
  const byId = Map.groupBy(entries, ({ record }) => record.id);
  const fences: Fence[] = [];
  for (const id of new Set([...before.seen.keys(), ...byId.keys()])) {
    const own = byId.get(id) ?? [];
    const known = before.seen.get(id);
    const [first] = own;
    const record = first ? oldest(own, first) : known;
    if (!record) continue;
    // An address that was given to another fence is that fence's to restore.
    const former = (known?.addresses ?? []).filter((address) => (owners.get(keyOf(address)) ?? id) === id);
    const addresses = unionOfAddresses(
      former,
      own.map(({ address }) => address),
    );
    if (addresses.length === 0) continue; // re-stamped as a whole
    seen.set(id, { ...record, addresses });
    const inForce = own.filter(({ standing }) => standing === 'in-force').map(({ address }) => address);
    const damage = describeDamage(addresses, own);
    fences.push({
      ...record,
      addresses,
      inForce,
      seenSinceMs:
        Math.max(...inForce.map((address) => since.get(keyOf(address)) ?? receivedAtMs), 0) || receivedAtMs,
      ...(damage !== undefined && { damage }),
    });
  }
  return { fences, history: { since, seen } };
}

/** A fence that this process has lifted is not missed. */
export function forgetFence(history: FenceHistory, id: string): FenceHistory {
  const seen = new Map(history.seen);
  seen.delete(id);
  return { ...history, seen };
}

/** The same history by a clock that was stepped by `byMs`. */
export function shiftFences(history: FenceHistory, byMs: number): FenceHistory {
  return { ...history, since: new Map([...history.since].map(([key, ms]) => [key, ms + byMs])) };
}

function keyOf({ kind, value }: StorageAddress): string {
  return kind === 'ip' ? (canonicalIp(value) ?? value) : `${kind} ${value}`;
}

/** When the entries of one fence differ, the oldest names it. */
function oldest(own: readonly FenceEntry[], first: FenceEntry): FenceRecord {
  return own.reduce((a, b) => (b.record.fencedAtMs < a.fencedAtMs ? b.record : a), first.record);
}

function describeDamage(
  addresses: readonly StorageAddress[],
  own: readonly FenceEntry[],
): string | undefined {
  const standings = new Map(own.map(({ address, standing }) => [keyOf(address), standing]));
  const words = { disabled: 'is disabled', expires: 'will expire', 'in-force': undefined } as const;
  const damaged = addresses.flatMap((address) => {
    const standing = standings.get(keyOf(address));
    const what = standing === undefined ? 'was removed' : words[standing];
    return what === undefined ? [] : [`the entry of ${address.value} ${what}`];
  });
  return damaged.length === 0 ? undefined : damaged.join(', ');
}
