import type { RealConnection } from '@reattach/rds-sim';

const ROW =
  /^ipv4\s+2 tcp\s+6 (\d+) (\w+) src=(\S+) dst=(\S+) sport=(\d+) dport=(\d+) packets=(\d+) bytes=(\d+) (\[UNREPLIED\] )?src=\S+ dst=\S+ sport=\d+ dport=\d+ packets=(\d+) bytes=(\d+) (.*)$/;

/** States as the kernel and as RouterOS spell them. */
const STATES: Readonly<Record<string, RealConnection['state']>> = {
  SYN_SENT: 'syn-sent',
  SYN_SENT2: 'syn-sent',
  SYN_RECV: 'syn-received',
  ESTABLISHED: 'established',
  FIN_WAIT: 'fin-wait',
  CLOSE_WAIT: 'close-wait',
  LAST_ACK: 'last-ack',
  TIME_WAIT: 'time-wait',
  CLOSE: 'close',
};

/**
 * Reads a line of `/proc/net/nf_conntrack` about an export port. An entry that begins at the export port was learned in
 * the middle of a connection, from a packet of the target.
 * @param nowMs when the line was read, epoch ms
 * @throws {TypeError} for a line that is not a counted IPv4 TCP entry
 */
export function parseConntrackRow(line: string, exportPort: number, nowMs: number): RealConnection {
  const match = ROW.exec(line);
  const state = STATES[match?.[2] ?? ''];
  if (!match || !state)
    throw new TypeError(`Expected a TCP entry with counters, got ${JSON.stringify(line)}`);
  const [
    ,
    timeout,
    ,
    src = '',
    dst = '',
    sport,
    dport,
    packets,
    bytes,
    unreplied,
    replyPackets,
    replyBytes,
    rest = '',
  ] = match;
  const source = { address: src, port: Number(sport) };
  const destination = { address: dst, port: Number(dport) };
  const isHostOriginal = destination.port === exportPort;
  return {
    ...(isHostOriginal ? { host: source, target: destination } : { host: destination, target: source }),
    isHostOriginal,
    state,
    expiresAtMs: nowMs + Number(timeout) * 1000,
    hasSeenReply: unreplied === undefined,
    isAssured: rest.includes('[ASSURED]'),
    originalPackets: Number(packets),
    originalBytes: Number(bytes),
    replyPackets: Number(replyPackets),
    replyBytes: Number(replyBytes),
  };
}
