import { canonicalIp } from '@reattach/tcp-evidence';
import type { Section } from './reply.ts';

/** One TCP socket of an export port at the target. It exists until every command of its queue has ended. */
export interface TargetSocket {
  /** As `ss` names it: `ESTAB`, `FIN-WAIT-1`, ... */
  readonly state: string;
  readonly localAddress: string;
  readonly localPort: number;
  readonly peerAddress: string;
  readonly peerPort: number;
  /** Time since the last segment from the peer, ms; absent when the kernel does not tell. */
  readonly lastReceivedAgoMs?: number;
}

export interface ParsedSockets {
  readonly sockets: readonly TargetSocket[];
  /** Lines that were not understood, in words. */
  readonly skipped: readonly string[];
}

/**
 * Parses `ss -Htin`: a line per socket, followed by a line of details that begins with white space.
 * @see ss(8); fields as printed by iproute2 6.1
 */
export function parseSockets({ lines }: Section): ParsedSockets {
  const sockets: TargetSocket[] = [];
  const skipped: string[] = [];
  lines.forEach((line, index) => {
    if (/^\s/.test(line) || line === '') return;
    const [state = '', , , local = '', peer = ''] = line.trim().split(/\s+/);
    const [localAddress, localPort] = endpoint(local);
    const [peerAddress, peerPort] = endpoint(peer);
    if (
      localAddress === undefined ||
      peerAddress === undefined ||
      localPort === undefined ||
      peerPort === undefined
    ) {
      skipped.push(`socket "${line.slice(0, 60)}": expected two addresses with ports`);
      return;
    }
    const details = lines[index + 1] ?? '';
    const [, ago] = /^\s.*\blastrcv:(\d+)\b/.exec(details) ?? [];
    const lastReceivedAgoMs = ago === undefined ? undefined : Number(ago);
    sockets.push({
      state,
      localAddress,
      localPort,
      peerAddress,
      peerPort,
      ...(lastReceivedAgoMs !== undefined && { lastReceivedAgoMs }),
    });
  });
  return { sockets, skipped };
}

/** `10.0.0.1:4420`, `[fd00::1]:4420`, `[::ffff:10.0.0.1]:4420`, `10.0.0.1%eth0:4420`. */
function endpoint(text: string): readonly [string | undefined, number | undefined] {
  const [, bracketed, plain, port] = /^(?:\[([^\]]+)\]|([^:]+)):(\d+)$/.exec(text) ?? [];
  const address = canonicalIp((bracketed ?? plain ?? '').replace(/%.*$/, ''));
  return [address, port === undefined ? undefined : Number(port)];
}
