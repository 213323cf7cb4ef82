import { isIP } from 'node:net';
import { type HostPort, isLoopback } from '../config/host-port.ts';

/** Who may read page, state and history: callers on this machine or in this pod, all, or none. */
export const STATE_ACCESS = ['local', 'all', 'off'] as const;

/** @see STATE_ACCESS */
export type StateAccess = (typeof STATE_ACCESS)[number];

/** Who asks, and as whom. */
export interface Caller {
  /** Where the connection comes from. */
  readonly address: string | undefined;
  /** Headers Host and Origin. */
  readonly host: string | undefined;
  readonly origin: string | undefined;
}

/**
 * Whether the caller may read state and history. `local`: it calls from this machine, or from within the pod, as `kubectl exec` and
 * `kubectl port-forward` do. A web page elsewhere can make a browser call us under a name of its own that leads to loopback, or from
 * its own origin; that is always refused.
 * @param listen where we listen; a listener on loopback has no other name.
 */
export function mayReadState(
  access: StateAccess,
  { address, host, origin }: Caller,
  listen: Pick<HostPort, 'host'>,
): boolean {
  const asked = URL.parse(`http://${host ?? ''}`);
  if (access === 'off' || (origin !== undefined && URL.parse(origin)?.host !== asked?.host)) return false;
  const isAskedLocally = isLoopback(asked?.hostname.replace(/^\[|\]$/g, '') ?? '');
  if (access === 'local') return isAskedLocally && isLoopback(peerOf(address));
  return isAskedLocally || !isLoopback(listen.host);
}

/** Names that only the cluster's own DNS resolves: a web page elsewhere cannot have them lead here. */
const CLUSTER_NAME = /\.svc(\.cluster\.local)?$/;

/**
 * Whether the caller may read probes and metrics: it asks by address, by a loopback or cluster name, or by the name on which we
 * listen. A web page elsewhere can only use a name of its own. With `all` any name is expected.
 */
export function mayProbe(
  access: StateAccess,
  { host }: Pick<Caller, 'host'>,
  listen: Pick<HostPort, 'host'>,
): boolean {
  if (access === 'all' || host === undefined) return true;
  const name = URL.parse(`http://${host}`)?.hostname.replace(/^\[|\]$/g, '') ?? '';
  return isIP(name) !== 0 || isLoopback(name) || name === listen.host || CLUSTER_NAME.test(name);
}

/** An IPv4 address without the prefix that it has on an IPv6 socket. */
function peerOf(address: string | undefined): string {
  return address?.replace(/^::ffff:/i, '') ?? '';
}
