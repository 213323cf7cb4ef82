import type { TcpReading, TcpSession } from '@reattach/tcp-evidence';
import type { TargetSocket } from './reply/sockets.ts';
import type { TargetSnapshot } from './target-snapshot.ts';

/** `ss` prints `lastrcv` in whole ms of the kernel's clock ticks (250 Hz and more in Debian's kernel). */
const RESOLUTION_MS = 10;

/** States of `ss` in which the connection is up. Every other one is on its way to its end. */
const PHASES: Readonly<Record<string, TcpSession['phase']>> = {
  ESTAB: 'established',
  'SYN-SENT': 'opening',
  'SYN-RECV': 'opening',
};

/**
 * The target's sockets as TCP evidence. A socket is listed until every command of its queue has ended: measured with disks of
 * 15 s and 45 s on Linux 6.1 (docs/linux-target.md, "What the kernel does").
 */
export function tcpReadingOf({ value, sentAtMs, receivedAtMs }: TargetSnapshot): TcpReading {
  const { facts, ownAddresses, sockets, exports = [], devices } = value;
  const ports = new Set(exports.flatMap((each) => each.ports));
  const own = (sockets ?? []).filter(({ localAddress }) => ownAddresses.has(localAddress));
  return {
    source: 'sockets',
    requestedAtMs: sentAtMs,
    receivedAtMs,
    uptimeMs: facts.uptimeMs,
    uptimeRequestedAtMs: sentAtMs,
    uptimeReceivedAtMs: receivedAtMs,
    resolutionMs: RESOLUTION_MS,
    closingTimeoutMs: 0,
    ...hiddenBy(value, ports),
    sessions: own.filter(({ localPort }) => ports.has(localPort)).map(sessionOf),
    controls: own.filter(({ localPort }) => !ports.has(localPort)).map(sessionOf),
    counters: new Map(
      [...devices].map(([path, { writes, inFlight }]) => [path, { writes, inFlight: String(inFlight) }]),
    ),
    danglingQueues: value.danglingQueues,
    // A device-mapper or file target below may hold writes that no counter shows.
    inFlightIsComplete: false,
  };
}

/** Why the target may not show every session. */
function hiddenBy(
  { sockets, exports, facts }: TargetSnapshot['value'],
  ports: ReadonlySet<number>,
): Pick<TcpReading, 'hidden'> {
  if (!sockets)
    return {
      hidden: {
        detail: 'the target has no ss, so its sockets cannot be read',
        fix: 'apt-get install iproute2',
      },
    };
  if (!exports) return { hidden: { detail: 'nvmet is not loaded at the target', fix: 'modprobe nvmet-tcp' } };
  const unread = [...ports].find((port) => !facts.ports.includes(port));
  return unread === undefined ? {} : { hidden: { detail: `sockets of export port ${unread} were not read` } };
}

function sessionOf({ state, peerAddress, peerPort, localPort, lastReceivedAgoMs }: TargetSocket): TcpSession {
  return {
    host: peerAddress,
    hostPort: peerPort,
    port: localPort,
    phase: PHASES[state] ?? 'closing',
    idleMs: lastReceivedAgoMs,
  };
}
