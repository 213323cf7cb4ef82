import type { StorageAddress, StorageNode, StorageQuery, UnattributedSession } from '@reattach/core';
import type { BackendState, HostHistory } from './backend-state.ts';
import { requiredSilenceMs } from './cadence.ts';
import { canonicalIp } from './canonical-ip.ts';
import type { TcpReading } from './tcp-reading.ts';

/** Which hosts belong to whom. */
export interface Attribution {
  /** Node name by address. */
  readonly owners: ReadonlyMap<string, string>;
  /** Hosts whose sessions are ignored: fenced ones, and those that the operator declared not to be nodes of this cluster. */
  readonly isForeign: (host: string) => boolean;
}

/** Addresses of a node that the backend can see: IP addresses of the families it observes. */
export function visibleAddresses(
  { addresses }: Pick<StorageNode, 'addresses'>,
  isVisible: (address: string) => boolean,
): readonly string[] {
  return addresses.flatMap((address) => {
    const ip = ipOf(address);
    return ip !== undefined && isVisible(ip) ? [ip] : [];
  });
}

/** `undefined`: not an IP address. */
export function ipOf({ kind, value }: StorageAddress): string | undefined {
  return kind === 'ip' ? (canonicalIp(value) ?? value) : undefined;
}

export function ownersOf({
  suspects,
  peers,
}: Pick<StorageQuery, 'suspects' | 'peers'>): ReadonlyMap<string, string> {
  const owners = new Map<string, string>();
  for (const { name, addresses } of [...suspects, ...peers]) {
    for (const address of addresses) {
      const ip = ipOf(address);
      if (ip !== undefined) owners.set(ip, name);
    }
  }
  return owners;
}

/** It has a connection over which it could write. */
export function isConnected({ sessions }: HostHistory): boolean {
  return [...sessions.values()].some(
    ({ session: { phase } }) => phase === 'opening' || phase === 'established',
  );
}

/** It surely spoke within the window. */
export function isSurelyLive(host: HostHistory, reading: TcpReading, activityWindowMs: number): boolean {
  return (
    isConnected(host) &&
    host.provedMs !== undefined &&
    reading.receivedAtMs - host.provedMs < activityWindowMs
  );
}

/** Nothing proves that it is silent. */
export function mayBeLive(host: HostHistory, reading: TcpReading, activityWindowMs: number): boolean {
  const requiredMs = requiredSilenceMs(host, activityWindowMs);
  return isConnected(host) && reading.receivedAtMs - host.lastMs < requiredMs;
}

/** Live sessions that no node accounts for. Without a node in the query nothing can be attributed. */
export function unattributedSessions(
  { owners, isForeign }: Attribution,
  { hosts }: BackendState,
  reading: TcpReading,
  activityWindowMs: number,
): readonly UnattributedSession[] {
  if (owners.size === 0) return [];
  return [...hosts].flatMap(([address, host]) =>
    owners.has(address) || isForeign(address) || !mayBeLive(host, reading, activityWindowMs)
      ? []
      : [{ address: { kind: 'ip' as const, value: address }, lastActivityMs: host.lastMs }],
  );
}

/** Live hosts; the addresses of one node count once. */
export function countLiveHosts(
  { owners }: Attribution,
  { hosts }: BackendState,
  reading: TcpReading,
  activityWindowMs: number,
): number {
  const live = [...hosts].filter(([, host]) => isSurelyLive(host, reading, activityWindowMs));
  return new Set(live.map(([address]) => owners.get(address) ?? address)).size;
}
