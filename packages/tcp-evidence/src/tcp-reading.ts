/**
 * Phase of a connection. `closed` is positive: the backend itself showed it closed, so it has no command left. `closing`: a
 * FIN was seen, commands may still be running.
 */
export type SessionPhase = 'opening' | 'established' | 'closing' | 'closed';

/** One TCP connection between a host and the backend. */
export interface TcpSession {
  /** Canonical address of the host. */
  readonly host: string;
  readonly hostPort?: number;
  /** The backend's port. */
  readonly port: number;
  readonly phase: SessionPhase;
  /** How long ago the host's last packet passed; absent when the entry does not say. It may be later by `resolutionMs`. */
  readonly idleMs?: number;
  /** Packets (or bytes) that came from the host. */
  readonly hostPackets?: number;
}

/** Write counters of one volume; they are compared for equality only. */
export interface VolumeCounters {
  readonly writes: string;
  /** Commands that the backend reports as running. */
  readonly inFlight: string;
}

/** Everything one reading of a backend says about TCP. Times are epoch ms by our clock. */
export interface TcpReading {
  /**
   * `tracking`: entries of connection tracking, which outlive their connection by a time-out; `sockets`: the backend's own
   * sockets, where a connection is listed until its last command has ended.
   */
  readonly source: 'tracking' | 'sockets';
  /** When the sessions were asked for and when the answer was complete. */
  readonly requestedAtMs: number;
  readonly receivedAtMs: number;
  /** The backend's uptime, and when it was asked for and received. */
  readonly uptimeMs: number;
  readonly uptimeRequestedAtMs: number;
  readonly uptimeReceivedAtMs: number;
  /** How much younger than `idleMs` a session may be. */
  readonly resolutionMs: number;
  /** Of `tracking`: an entry stays at least so long after the last packet of its connection. */
  readonly closingTimeoutMs: number;
  /** Why the backend may not see every session; absent: it sees them all. */
  readonly hidden?: { readonly detail: string; readonly fix?: string };
  /** Only connections that end at the backend's own addresses and export ports. */
  readonly sessions: readonly TcpSession[];
  /** Other connections to the backend's own addresses, such as the controller's: they show that the backend sees packets. */
  readonly controls: readonly TcpSession[];
  /** By the backend's own name of the volume. A volume without counters is missing. */
  readonly counters: ReadonlyMap<string, VolumeCounters>;
  /**
   * Of `sockets`: connections that are gone although commands of them still run, which a RST of the host causes. Absent: the
   * backend does not show them.
   */
  readonly danglingQueues?: number;
  /** `inFlight` counts every accepted command. False where a slow disk hides them. */
  readonly inFlightIsComplete: boolean;
}

/** Names a connection for as long as it lives. */
export function sessionKey({ host, hostPort, port }: TcpSession): string {
  return `${host} ${hostPort} ${port}`;
}
