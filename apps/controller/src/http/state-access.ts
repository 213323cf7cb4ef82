import { type HostPort, isLoopback } from '../config/host-port.ts';

/** To whom more is told than to probes and scrapers. */
export const AUDIENCES = ['local', 'all', 'off'] as const;

/** @see AUDIENCES */
export type Audience = (typeof AUDIENCES)[number];

/** Who asks, and as whom. */
export interface Caller {
  /** Where the connection comes from. */
  readonly address: string | undefined;
  /** Headers Host and Origin. */
  readonly host: string | undefined;
  readonly origin: string | undefined;
}

/**
 * Whether the caller belongs to the audience. `local`: it calls from this machine, or from within the pod, as `kubectl exec` and
 * `kubectl port-forward` do. A web page somewhere else makes a browser ask us, too: by a name of its own that leads to loopback, or from
 * its own origin; it never belongs.
 * @param listen where we listen; who only listens on loopback has no other name.
 */
export function belongsTo(
  audience: Audience,
  { address, host, origin }: Caller,
  listen: Pick<HostPort, 'host'>,
): boolean {
  const asked = URL.parse(`http://${host ?? ''}`);
  if (audience === 'off' || (origin !== undefined && URL.parse(origin)?.host !== asked?.host)) return false;
  const isAskedLocally = isLoopback(asked?.hostname.replace(/^\[|\]$/g, '') ?? '');
  if (audience === 'local') return isAskedLocally && isLoopback(peerOf(address));
  return isAskedLocally || !isLoopback(listen.host);
}

/** An IPv4 address without the prefix that it has on an IPv6 socket. */
function peerOf(address: string | undefined): string {
  return address?.replace(/^::ffff:/i, '') ?? '';
}
