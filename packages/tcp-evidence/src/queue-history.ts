import type { SessionTrace } from './host-activity.ts';

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
}

/** The connections of one host that matter for its accepted writes, by session key. */
export type QueueHistory = ReadonlyMap<string, QueueRecord>;

/** Represents the connections that an earlier process saw. */
export const EARLIER_PROCESS = 'of an earlier process';

/** A connection whose end proves nothing is forgotten once its host has been active for so long after that, ms. */
const FORGET_UNPROVED_MS = 300_000;

/** The queues after one more reading; of those that were closed and are gone only the newest is kept. @param isSocketTable a connection leaves it only when its commands have ended. */
export function foldQueues(
  before: QueueHistory,
  sessions: ReadonlyMap<string, SessionTrace>,
  { requestedAtMs, isSocketTable }: { readonly requestedAtMs: number; readonly isSocketTable: boolean },
): QueueHistory {
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
    if (queues.has(key) || isSocketTable) continue;
    if (key === EARLIER_PROCESS && sessions.size > 0) continue; // they are among those that are here now
    if (queue.closedAtMs !== undefined)
      queues.set(key, queue); // what it proves stays
    else queues.set(key, { ...queue, vanishedAtMs: queue.vanishedAtMs ?? requestedAtMs });
  }
  let newest: string | undefined;
  for (const [key, { vanishedAtMs, closedAtMs = 0, isClosedByTarget }] of queues) {
    if (sessions.has(key)) continue;
    const unprovedSinceMs = vanishedAtMs ?? (isClosedByTarget ? undefined : closedAtMs);
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

/** What the queues of a host prove about its accepted writes. */
export type QueueProof =
  /** None was ever seen. */
  | { readonly kind: 'none' }
  | { readonly kind: 'open'; readonly count: number }
  | { readonly kind: 'vanished'; readonly count: number }
  /** Closed, perhaps by a RST of the host while commands were running. */
  | { readonly kind: 'reset'; readonly count: number }
  /** Every one of them was seen closed by the target, the last one then. */
  | { readonly kind: 'closed'; readonly atMs: number };

/**
 * @param fencedSinceMs since when the hosts have been cut off, epoch ms: behind a fence no RST of a host arrives, so the target
 *   closed a queue that was still open then. Absent: they are not cut off.
 */
export function queueProof(histories: readonly QueueHistory[], fencedSinceMs?: number): QueueProof {
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
      !isClosedByTarget && !(fencedSinceMs !== undefined && openSeenAtMs > fencedSinceMs),
  );
  if (reset.length > 0) return { kind: 'reset', count: reset.length };
  return { kind: 'closed', atMs: Math.max(...queues.map(({ closedAtMs = 0 }) => closedAtMs)) };
}
