import type { SocketRow, SocketState } from './socket-row.ts';

/** The target's own sockets on port 4420 at one moment, as `ss -Htin` listed them. */
export interface SocketReading {
  readonly atMs: number;
  readonly sockets: readonly SocketRow[];
  /** Writes that the slow disk had carried out by then. Only in S2. */
  readonly writes?: number;
}

const SOCKET =
  /(?:(ESTAB|FIN-WAIT-1) )?(\d+\.\d+\.\d+\.\d+):(\d+)(?: bytes_received:(\d+))?(?: lastsnd:(\d+) lastrcv:(\d+))?/g;

/** Parses a line of S (`IDLE ...`, `1.5 ESTAB ...`) or S2 (`+1.1 ss=[...] writes/inflight {...}`), else undefined. */
export function parseSocketReading(atMs: number, body: string): SocketReading | undefined {
  const slow = /^\+[\d.]+ ss=\[(.*?)\] writes\/inflight \{'nullb1': \((\d+),/.exec(body);
  if (slow) return { atMs, sockets: parseSockets(slow[1] ?? ''), writes: Number(slow[2]) };
  const timed = /^(?:IDLE|\d+\.\d) ((?:ESTAB )?\d+\.\d+\.\d+\.\d+:\d+ .*)$/.exec(body);
  return timed ? { atMs, sockets: parseSockets(timed[1] ?? '') } : undefined;
}

function parseSockets(text: string): readonly SocketRow[] {
  return Array.from(
    text.matchAll(SOCKET),
    ([, state, hostAddress = '', port, received, sent, receivedAgo]) => ({
      state: (state ?? 'ESTAB') as SocketState,
      hostAddress,
      hostPort: Number(port),
      ...(received !== undefined && { bytesReceived: Number(received) }),
      ...(sent !== undefined && { lastSentMs: Number(sent), lastReceivedMs: Number(receivedAgo) }),
    }),
  );
}
