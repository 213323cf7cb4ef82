/** The kinds of name by which a storage backend can know a host. */
export const STORAGE_ADDRESS_KINDS = ['ip', 'cidr', 'nqn', 'iqn', 'wwpn'] as const;

/** @see STORAGE_ADDRESS_KINDS */
export type StorageAddressKind = (typeof STORAGE_ADDRESS_KINDS)[number];

/** One name of a host at a storage backend. `value` is in the kind's canonical spelling: `10.0.5.1`, `10.1.0.0/16`, `nqn.2014-08...`. */
export interface StorageAddress {
  readonly kind: StorageAddressKind;
  readonly value: string;
}

/** IP addresses as storage addresses. */
export function ipAddresses(values: Iterable<string>): readonly StorageAddress[] {
  return [...values].map((value) => ({ kind: 'ip', value }));
}

/**
 * Those over which hosts reach a backend that serves these versions of IP; all when that leaves none.
 * @param versions absent: both
 */
export function servedAddresses(
  addresses: readonly StorageAddress[],
  versions: readonly (4 | 6)[] = [4, 6],
): readonly StorageAddress[] {
  const served = addresses.filter(
    ({ kind, value }) => kind !== 'ip' || versions.includes(value.includes(':') ? 6 : 4),
  );
  return served.length > 0 ? served : addresses;
}

/** Two addresses are the same when their keys are. */
export function addressKey({ kind, value }: StorageAddress): string {
  return `${kind} ${value}`;
}

/** All addresses of both lists, each once, in their order. */
export function unionOfAddresses(
  ...lists: readonly (readonly StorageAddress[])[]
): readonly StorageAddress[] {
  return [...new Map(lists.flat().map((address) => [addressKey(address), address])).values()];
}

/** For messages: `10.0.5.1, nqn nqn.2014-08...`. */
export function describeAddresses(addresses: Iterable<StorageAddress>): string {
  return [...addresses].map(({ kind, value }) => (kind === 'ip' ? value : `${kind} ${value}`)).join(', ');
}
