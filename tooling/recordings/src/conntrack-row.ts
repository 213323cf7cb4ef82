/** States of `nf_conntrack` that occur in the recordings, in the spelling of the kernel. */
export type KernelTcpState =
  | 'SYN_SENT'
  | 'SYN_RECV'
  | 'ESTABLISHED'
  | 'FIN_WAIT'
  | 'CLOSE_WAIT'
  | 'LAST_ACK'
  | 'TIME_WAIT'
  | 'CLOSE';

/** One direction of a tracked connection. */
export interface TrackedDirection {
  readonly srcAddress: string;
  readonly srcPort: number;
  readonly dstAddress: string;
  readonly dstPort: number;
  readonly packets: number;
  readonly bytes: number;
}

/** One line of `/proc/net/nf_conntrack`. */
export interface ConntrackRow {
  readonly state: KernelTcpState;
  /** What is left of the entry's time-out, in whole seconds, rounded down by the kernel. */
  readonly timeoutSeconds: number;
  /** The direction of the first packet that tracking saw: from the host, except after a flush of the table. */
  readonly original: TrackedDirection;
  readonly reply: TrackedDirection;
  readonly unreplied: boolean;
  readonly assured: boolean;
  /** The side that is not the target, whichever direction the entry has. */
  readonly hostAddress: string;
  readonly hostPort: number;
  /** Packets that tracking saw from the host. */
  readonly hostPackets: number;
  /** Packets that tracking saw from the target. */
  readonly targetPackets: number;
}

const DIRECTION = String.raw`src=(\S+) dst=(\S+) sport=(\d+) dport=(\d+) packets=(\d+) bytes=(\d+)`;
const ROW = new RegExp(
  String.raw`^ipv4\s+2 tcp\s+6 (\d+) (\S+) ${DIRECTION} (\[UNREPLIED\] )?${DIRECTION}(.*)$`,
);

/** @throws {TypeError} when `line` is not a TCP row of `/proc/net/nf_conntrack`. */
export function parseConntrackRow(line: string, targetPort: number): ConntrackRow {
  const m = ROW.exec(line);
  if (!m) throw new TypeError(`Expected a TCP row of nf_conntrack, got ${JSON.stringify(line)}`);
  const direction = (at: number): TrackedDirection => ({
    srcAddress: m[at] ?? '',
    dstAddress: m[at + 1] ?? '',
    srcPort: Number(m[at + 2]),
    dstPort: Number(m[at + 3]),
    packets: Number(m[at + 4]),
    bytes: Number(m[at + 5]),
  });
  const original = direction(3);
  const reply = direction(10);
  const fromHost = original.dstPort === targetPort ? original : reply;
  const fromTarget = fromHost === original ? reply : original;
  return {
    state: m[2] as KernelTcpState,
    timeoutSeconds: Number(m[1]),
    original,
    reply,
    unreplied: m[9] !== undefined,
    assured: m[16]?.includes('[ASSURED]') ?? false,
    hostAddress: fromHost.srcAddress,
    hostPort: fromHost.srcPort,
    hostPackets: fromHost.packets,
    targetPackets: fromTarget.packets,
  };
}
