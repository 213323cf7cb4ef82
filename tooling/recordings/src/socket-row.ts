/** States of `/proc/net/tcp` that occur in the recordings, in the spelling of `ss`. */
export type SocketState =
  | 'ESTAB'
  | 'SYN-RECV'
  | 'FIN-WAIT-1'
  | 'FIN-WAIT-2'
  | 'LAST-ACK'
  | 'CLOSE'
  | 'LISTEN';

/** A socket of the target, as `/proc/net/tcp` or `ss` lists it. Listening sockets are left out. */
export interface SocketRow {
  readonly state: SocketState;
  readonly hostAddress: string;
  readonly hostPort: number;
  /** Only in recordings made with `ss` (S): milliseconds since the target last received data on this socket. */
  readonly lastReceivedMs?: number;
  /** Only in recordings made with `ss` (S): milliseconds since the target last sent data. */
  readonly lastSentMs?: number;
  /** Only in recordings made with `ss` while nothing was cut (S). */
  readonly bytesReceived?: number;
}

const PROC_STATES: Readonly<Record<string, SocketState>> = {
  '01': 'ESTAB',
  '03': 'SYN-RECV',
  '04': 'FIN-WAIT-1',
  '05': 'FIN-WAIT-2',
  '07': 'CLOSE',
  '09': 'LAST-ACK',
  '0A': 'LISTEN',
};

/** Parses one line of `/proc/net/tcp`. @throws {TypeError} when it is malformed or its state unknown. */
export function parseProcTcpRow(line: string): SocketRow {
  const m = /^\s*\d+: [0-9A-F]{8}:[0-9A-F]{4} ([0-9A-F]{8}):([0-9A-F]{4}) ([0-9A-F]{2}) /.exec(line);
  const state = PROC_STATES[m?.[3] ?? ''];
  if (!m || !state) throw new TypeError(`Expected a row of /proc/net/tcp, got ${JSON.stringify(line)}`);
  const address = m[1] ?? '';
  const octets = [3, 2, 1, 0].map((i) => Number.parseInt(address.slice(2 * i, 2 * i + 2), 16));
  return { state, hostAddress: octets.join('.'), hostPort: Number.parseInt(m[2] ?? '', 16) };
}
