import type { SessionTrace } from './host-activity.ts';
import type { TcpReading } from './tcp-reading.ts';
import { UPTIME_RESOLUTION_MS } from './time-base.ts';

/** One connection of a host that may have, or have had, writes running. */
export interface QueueRecord {
  readonly phase: SessionTrace['session']['phase'];
  readonly seenAtMs: number;
  /** The last reading that showed it not closed, and the host's packets in it. */
  readonly openSeenAtMs?: number;
  readonly hostPackets?: number;
  /** When it was seen closed. */
  readonly closedAtMs?: number;
  /**
   * The host sent nothing between the last reading that showed it open and the one that showed it closed: the target closed it,
   * which it does only when its commands have ended. A RST of the host closes it at once, commands or not (measured, disk of 30 s).
   */
  readonly isClosedByTarget?: boolean;
  /** When it was found missing without having been seen closed: nothing is known about its last commands. */
  readonly vanishedAtMs?: number;
  /**
   * An earlier process saw it closed and read the backend for the last time at this uptime of the backend; `undefined`: the time is
   * unknown. The host may have connected and gone since. Absent: this process has watched the host since it closed.
   */
  readonly unwatchedSince?: { readonly uptimeMs: number | undefined };
}

/** The connections of one host that matter for its accepted writes, by session key. */
export type QueueHistory = ReadonlyMap<string, QueueRecord>;

/** Represents the connections that an earlier process saw, as it saw them last. */
export const EARLIER_PROCESS = 'of an earlier process';

/** Represents those of which an earlier process could not prove that their commands had ended. */
export const EARLIER_UNPROVED = 'of an earlier process, unproved';

/** A connection whose end proves nothing is forgotten once its host has been active for so long after that, ms. */
const FORGET_UNPROVED_MS = 300_000;

/** The queues after one more reading; of those that were closed and are gone only the newest is kept. */
export function foldQueues(
  before: QueueHistory,
  sessions: ReadonlyMap<string, SessionTrace>,
  reading: Pick<TcpReading, 'requestedAtMs' | 'source' | 'uptimeMs' | 'closingTimeoutMs'>,
): QueueHistory {
  const { requestedAtMs } = reading;
  const queues = new Map<string, QueueRecord>();
  let activeMs = Number.NEGATIVE_INFINITY;
  for (const [key, { session, provedMs }] of sessions) {
    const known = before.get(key);
    const { phase } = session;
    queues.set(
      key,
      phase === 'closed' ? closed(session, known, requestedAtMs) : opened(session, requestedAtMs),
    );
    activeMs = Math.max(activeMs, provedMs ?? activeMs);
  }
  for (const [key, queue] of before) {
    if (queues.has(key)) continue;
    if (reading.source === 'sockets') continue; // a connection leaves that table only when its commands have ended
    if (key === EARLIER_PROCESS && sessions.size > 0) continue; // they are among those that are here now
    if (queue.closedAtMs !== undefined)
      queues.set(key, watchedAgain(queue, reading)); // what it proves stays
    else queues.set(key, { ...queue, vanishedAtMs: queue.vanishedAtMs ?? requestedAtMs });
  }
  let newest: string | undefined;
  for (const [key, { vanishedAtMs, closedAtMs = 0, isClosedByTarget, unwatchedSince }] of queues) {
    if (sessions.has(key)) continue;
    const isProved = isClosedByTarget && !unwatchedSince;
    const unprovedSinceMs = vanishedAtMs ?? (isProved ? undefined : closedAtMs);
    if (unprovedSinceMs !== undefined) {
      if (activeMs - unprovedSinceMs > FORGET_UNPROVED_MS) queues.delete(key);
      continue;
    }
    const other = newest === undefined ? undefined : queues.get(newest);
    const older = other && (other.closedAtMs ?? 0) > closedAtMs ? key : newest;
    if (older !== undefined) queues.delete(older);
    if (older !== key) newest = key;
  }
  return queues;
}

/**
 * A connection leaves an entry for `closingTimeoutMs` at least. So a host that connected while no process read is seen by a process
 * that reads sooner than that, and one that is not seen did not connect.
 */
function watchedAgain(
  queue: QueueRecord,
  { uptimeMs, closingTimeoutMs }: Pick<TcpReading, 'uptimeMs' | 'closingTimeoutMs'>,
): QueueRecord {
  const { unwatchedSince, ...watched } = queue;
  if (unwatchedSince?.uptimeMs === undefined) return queue;
  const gapMs = uptimeMs - unwatchedSince.uptimeMs;
  if (gapMs >= 0 && gapMs + UPTIME_RESOLUTION_MS < closingTimeoutMs) return watched;
  return { ...watched, unwatchedSince: { uptimeMs: undefined } };
}

function opened(session: SessionTrace['session'], seenAtMs: number): QueueRecord {
  return { phase: session.phase, seenAtMs, openSeenAtMs: seenAtMs, hostPackets: session.hostPackets };
}

function closed(
  session: SessionTrace['session'],
  known: QueueRecord | undefined,
  seenAtMs: number,
): QueueRecord {
  const { phase, hostPackets } = session;
  if (known?.closedAtMs !== undefined) return { ...known, phase, seenAtMs };
  const isClosedByTarget = hostPackets !== undefined && hostPackets === known?.hostPackets;
  return { ...known, phase, seenAtMs, closedAtMs: seenAtMs, isClosedByTarget };
}

/** What the queues of hosts prove about its accepted writes. */
export type QueueProof =
  /** None was ever seen. */
  | { readonly kind: 'none' }
  | { readonly kind: 'open'; readonly count: number }
  | { readonly kind: 'vanished'; readonly count: number }
  /** Closed, perhaps by a RST of the host while commands were running. */
  | { readonly kind: 'reset'; readonly count: number }
  /** Closed before the fence, as an earlier process saw it; the host may have connected and gone while no process read. */
  | { readonly kind: 'unwatched'; readonly count: number; readonly atMs: number }
  /** Every one of them was seen closed by the target, the last one then. */
  | { readonly kind: 'closed'; readonly atMs: number };

/** Since when hosts have been cut off, epoch ms. */
export interface CutOff {
  /** As this process has read it: behind a fence no RST of a host arrives, so the target closed a queue that was still open then. */
  readonly seenSinceMs: number;
  /** As the fence itself says, taken before it was written. */
  readonly fencedAtMs: number;
}

/** Longest time from the moment in the record of a fence until the fence is in force, ms: the time-out of its command. */
const FENCING_MS = 10_000;

/** @param cutOff absent: the hosts are not cut off */
export function queueProof(histories: readonly QueueHistory[], cutOff?: CutOff): QueueProof {
  const queues = histories.flatMap((history) => [...history.values()]);
  if (queues.length === 0) return { kind: 'none' };
  const open = queues.filter(
    ({ closedAtMs, vanishedAtMs }) => closedAtMs === undefined && vanishedAtMs === undefined,
  );
  if (open.length > 0) return { kind: 'open', count: open.length };
  const vanished = queues.filter(({ vanishedAtMs }) => vanishedAtMs !== undefined);
  if (vanished.length > 0) return { kind: 'vanished', count: vanished.length };
  const reset = queues.filter(
    ({ isClosedByTarget, openSeenAtMs = 0 }) =>
      !isClosedByTarget && !(cutOff && openSeenAtMs > cutOff.seenSinceMs),
  );
  if (reset.length > 0) return { kind: 'reset', count: reset.length };
  const atMs = Math.max(...queues.map(({ closedAtMs = 0 }) => closedAtMs));
  const unwatched = queues.filter(
    ({ unwatchedSince, closedAtMs = 0 }) =>
      unwatchedSince && !(cutOff && closedAtMs > cutOff.fencedAtMs + FENCING_MS),
  );
  return unwatched.length > 0
    ? { kind: 'unwatched', count: unwatched.length, atMs }
    : { kind: 'closed', atMs };
}
