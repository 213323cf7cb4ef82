import { isSurelyLive } from './attribution.ts';
import type { BackendState, HostHistory } from './backend-state.ts';
import type { TcpReading } from './tcp-reading.ts';

/** How the backend is known to see packets, or why it is not. */
export type Sight =
  | { readonly kind: 'sees'; readonly proof: string }
  | { readonly kind: 'blind'; readonly detail: string };

/**
 * Whether a reading in which a host is silent would have shown it talking. It would when another host is live in it, or when
 * the host's own connections were seen ending after its last packet. The controller's own connection proves it only
 * while no other host fell silent together with this one: when everybody ages at once, packets have stopped being seen.
 * @param suspects the hosts that are asked about
 */
export function sightOf(
  own: ReadonlySet<string>,
  suspects: readonly HostHistory[],
  { hosts, controls }: BackendState,
  reading: TcpReading,
  activityWindowMs: number,
): Sight {
  const lastMs = Math.max(...suspects.map((host) => host.lastMs));
  let fellSilentToo: string | undefined;
  for (const [address, host] of hosts) {
    if (own.has(address)) continue;
    if (isSurelyLive(host, reading, activityWindowMs)) return { kind: 'sees', proof: `${address} was live` };
    if (Math.abs(host.lastMs - lastMs) <= activityWindowMs) fellSilentToo = address;
  }
  if (suspects.some(({ seenEndingAtMs }) => seenEndingAtMs !== undefined)) {
    return { kind: 'sees', proof: 'its own connections were seen ending' };
  }
  if (fellSilentToo !== undefined) {
    const detail = `${fellSilentToo} fell silent at the same time and no other host is live: the backend may have stopped seeing packets`;
    return { kind: 'blind', detail };
  }
  for (const { session, provedMs } of controls.values()) {
    if (provedMs !== undefined && reading.receivedAtMs - provedMs < activityWindowMs)
      return { kind: 'sees', proof: `a connection from ${session.host} to port ${session.port} was live` };
  }
  return { kind: 'blind', detail: 'no other host is live in the same reading' };
}
