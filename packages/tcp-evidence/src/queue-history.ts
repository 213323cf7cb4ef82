import type { SessionTrace } from './host-activity.ts';

/** One connection of a host that may have, or have had, writes running. */
export interface QueueRecord {
  readonly phase: SessionTrace['session']['phase'];
  readonly seenAtMs: number;
  /** When it was seen closed: every command of it has ended. */
  readonly closedAtMs?: number;
  /** When it was found missing without having been seen closed: nothing is known about its last commands. */
  readonly vanishedAtMs?: number;
}

/** The connections of one host that matter for its accepted writes, by session key. */
export type QueueHistory = ReadonlyMap<string, QueueRecord>;

/** Stands for the connections that an earlier process saw. */
export const EARLIER_PROCESS = 'of an earlier process';

/** A connection that vanished is forgotten once its host has been active again for so long after that, ms. */
const FORGET_VANISHED_MS = 300_000;

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
    const closedAtMs = phase === 'closed' ? (known?.closedAtMs ?? requestedAtMs) : undefined;
    queues.set(key, { phase, seenAtMs: requestedAtMs, ...(closedAtMs !== undefined && { closedAtMs }) });
    activeMs = Math.max(activeMs, provedMs ?? activeMs);
  }
  for (const [key, queue] of before) {
    if (queues.has(key) || isSocketTable) continue;
    if (key === EARLIER_PROCESS && sessions.size > 0) continue; // they are among those that are here now
    if (queue.closedAtMs !== undefined) queues.set(key, queue);
    else queues.set(key, { ...queue, vanishedAtMs: queue.vanishedAtMs ?? requestedAtMs });
  }
  let newest: string | undefined;
  for (const [key, { vanishedAtMs, closedAtMs = 0 }] of queues) {
    if (sessions.has(key)) continue;
    if (vanishedAtMs !== undefined) {
      if (activeMs - vanishedAtMs > FORGET_VANISHED_MS) queues.delete(key);
      continue;
    }
    const other = newest === undefined ? undefined : queues.get(newest);
    const older = other && (other.closedAtMs ?? 0) > closedAtMs ? key : newest;
    if (older !== undefined) queues.delete(older);
    if (older !== key) newest = key;
  }
  return queues;
}

/** What the queues of a host prove about its accepted writes. */
export type QueueProof =
  /** None was ever seen. */
  | { readonly kind: 'none' }
  | { readonly kind: 'open'; readonly count: number }
  | { readonly kind: 'vanished'; readonly count: number }
  /** Every one of them was seen closed, the last one then. */
  | { readonly kind: 'closed'; readonly atMs: number };

export function queueProof(histories: readonly QueueHistory[]): QueueProof {
  const queues = histories.flatMap((history) => [...history.values()]);
  if (queues.length === 0) return { kind: 'none' };
  const open = queues.filter(
    ({ closedAtMs, vanishedAtMs }) => closedAtMs === undefined && vanishedAtMs === undefined,
  );
  if (open.length > 0) return { kind: 'open', count: open.length };
  const vanished = queues.filter(({ vanishedAtMs }) => vanishedAtMs !== undefined);
  if (vanished.length > 0) return { kind: 'vanished', count: vanished.length };
  return { kind: 'closed', atMs: Math.max(...queues.map(({ closedAtMs = 0 }) => closedAtMs)) };
}
