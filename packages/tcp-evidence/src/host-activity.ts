import { sessionKey, type TcpReading, type TcpSession } from './tcp-reading.ts';

/** When something last came from a host, epoch ms, as two bounds. */
export interface Activity {
  /** It was silent ever since. */
  readonly lastMs: number;
  /** It surely spoke then or later; absent when that cannot be said. */
  readonly provedMs?: number;
}

/** The activity of one session, and what its next reading is compared with. */
export interface SessionTrace extends Activity {
  readonly session: TcpSession;
}

/** What is known of a session after one more reading. `lastMs` errs towards later, so that silence is never claimed early. */
export function traceSession(
  session: TcpSession,
  before: SessionTrace | undefined,
  reading: TcpReading,
  previousRequestedAtMs: number | undefined,
): SessionTrace {
  const { requestedAtMs, receivedAtMs, resolutionMs } = reading;
  const { phase, idleMs, hostPackets } = session;
  if (phase === 'established' && idleMs !== undefined) {
    const lastMs = Math.min(receivedAtMs - idleMs + resolutionMs, receivedAtMs);
    return { session, lastMs, provedMs: requestedAtMs - idleMs };
  }
  const counted = before?.session.hostPackets;
  if (before && counted !== undefined && hostPackets === counted) return { ...before, session }; // nothing came since
  const moved = counted !== undefined && hostPackets !== undefined && hostPackets > counted;
  const provedMs = moved ? previousRequestedAtMs : before?.provedMs;
  return { session, lastMs: receivedAtMs, ...(provedMs !== undefined && { provedMs }) };
}

/** Two indistinguishable entries: the later one counts, and their counters prove nothing. */
export function joinTwins(a: SessionTrace, b: SessionTrace): SessionTrace {
  const { hostPackets: _unknown, ...session } = b.session;
  return { session, ...laterActivity(a, b) };
}

export function laterActivity(a: Activity | undefined, b: Activity): Activity {
  const proved = [a?.provedMs, b.provedMs].filter((ms) => ms !== undefined);
  return {
    lastMs: Math.max(a?.lastMs ?? Number.NEGATIVE_INFINITY, b.lastMs),
    ...(proved.length > 0 && { provedMs: Math.max(...proved) }),
  };
}

/** All sessions of a reading by key. */
export function traceSessions(
  sessions: readonly TcpSession[],
  before: ReadonlyMap<string, SessionTrace>,
  reading: TcpReading,
  previousRequestedAtMs: number | undefined,
): ReadonlyMap<string, SessionTrace> {
  const traces = new Map<string, SessionTrace>();
  for (const session of sessions) {
    const key = sessionKey(session);
    const own = traceSession(session, before.get(key), reading, previousRequestedAtMs);
    const twin = traces.get(key);
    traces.set(key, twin ? joinTwins(twin, own) : own);
  }
  return traces;
}
