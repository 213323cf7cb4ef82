import type { SessionPhase, TcpReading, TcpSession } from '@reattach/tcp-evidence';
import type { Session, Snapshot, Tracking } from './snapshot.ts';

const PHASES: Readonly<Record<string, SessionPhase>> = {
  'syn-sent': 'opening',
  'syn-sent2': 'opening',
  'syn-received': 'opening',
  established: 'established',
  'fin-wait': 'closing',
  'close-wait': 'closing',
  'last-ack': 'closing',
  'time-wait': 'closed',
  close: 'closed',
};

/** RouterOS prints whole seconds, cut off: an entry may have been refreshed this much later than it says, ms. */
const PRINTED_RESOLUTION_MS = 1_000;

/** A snapshot in the terms that every TCP backend shares. */
export function toTcpReading(snapshot: Snapshot): TcpReading {
  const { tracking, sessions } = snapshot;
  const hidden = hiddenBecause(snapshot);
  return {
    source: 'tracking',
    requestedAtMs: snapshot.sessionsAskedAtMs,
    receivedAtMs: snapshot.sessionsReadAtMs,
    uptimeMs: snapshot.uptimeMs,
    uptimeRequestedAtMs: snapshot.takenAtMs,
    uptimeReceivedAtMs: snapshot.bootedAtMs + snapshot.uptimeMs,
    resolutionMs: PRINTED_RESOLUTION_MS,
    closingTimeoutMs: tracking.closingTimeoutMs,
    ...(hidden && { hidden }),
    sessions: sessions.map((session) => toSession(session, tracking)),
    controls: snapshot.controls.map((session) => toSession(session, tracking)),
    counters: new Map(
      [...snapshot.writeCounters].map(([slot, { writeOps, writeBytes, inFlightOps }]) => [
        slot,
        { writes: `${writeOps} ${writeBytes}`, inFlight: inFlightOps },
      ]),
    ),
    inFlightIsComplete: false, // a slow disk hides commands from it (measured)
  };
}

/** Why packets of some host may not be seen. */
function hiddenBecause({
  tracking,
  bypass,
  sessions,
  hasTooManySessions,
  exports,
  sessionPorts,
}: Snapshot): TcpReading['hidden'] {
  if (!tracking.on)
    return { detail: tracking.detail, ...(tracking.fix !== undefined && { fix: tracking.fix }) };
  if (bypass) return bypass;
  const offloaded = sessions.find(({ isOffloaded }) => isOffloaded);
  if (offloaded) {
    return {
      detail: `FastTrack or hardware offload carries packets of ${offloaded.address}, so connection tracking does not see them`,
      fix: '/ip/firewall/filter/disable [find where action=fasttrack-connection]; /ip/settings/set allow-fast-path=no',
    };
  }
  if (hasTooManySessions)
    return { detail: 'connection tracking has more entries for the export ports than a reading may hold' };
  const missed = exports.find(({ port }) => !sessionPorts.includes(port));
  return missed && { detail: `sessions to export port ${missed.port} were not read` };
}

/**
 * Every packet of an established session winds its timeout up to `tcp-established-timeout`, so its age is what has run off
 * since. Not so at or below the shortened timeout, to which Linux cuts an entry while data is not acknowledged, nor above the
 * full one, which an entry keeps from before the time-out was lowered: packet counters decide there.
 */
function toSession(session: Session, { establishedTimeoutMs, shortenedTimeoutMs }: Tracking): TcpSession {
  const { address, hostPort, port, state, remainingMs, hostPackets } = session;
  const phase = PHASES[state] ?? 'established';
  const isCut = shortenedTimeoutMs < establishedTimeoutMs && (remainingMs ?? 0) <= shortenedTimeoutMs;
  const isDated =
    state === 'established' && remainingMs !== undefined && !isCut && remainingMs <= establishedTimeoutMs;
  return {
    host: address,
    port,
    phase,
    ...(hostPort !== undefined && { hostPort }),
    ...(isDated && { idleMs: establishedTimeoutMs - remainingMs }),
    ...(hostPackets !== undefined && { hostPackets }),
  };
}
