import { sessionAge } from './session-age.ts';
import type { Session, Snapshot } from './snapshot.ts';

/** When something last came from a host, epoch ms, as two bounds; an entry that tells its age brings them within a second. */
export interface Activity {
  /** It was silent ever since. */
  readonly lastActivityMs: number;
  /** It surely spoke then or later; absent when that cannot be said. */
  readonly provedActivityMs?: number;
}

/** The same of one session, and what its next reading is compared with. */
interface SessionTrace extends Activity {
  readonly address: string;
  readonly hostPackets: number | undefined;
  readonly dated: boolean;
}

/**
 * Activity of every address ever seen in the backend's connection tracking, in this process and since the backend last booted. It
 * lets a host whose entries are gone count as silent; a host that was never seen never does. Immutable.
 */
export interface ActivityMemory {
  readonly addresses: ReadonlyMap<string, Activity>;
  /** Sessions of the last reading. */
  readonly sessions: ReadonlyMap<string, SessionTrace>;
  /** When the last usable reading was made, and how long the backend had been up; absent before the first. */
  readonly last?: { readonly readAtMs: number; readonly bootedAtMs: number; readonly uptimeMs: number };
}

export const NO_ACTIVITY: ActivityMemory = { addresses: new Map(), sessions: new Map() };

/** Largest move of the backend's boot moment, by our clock, that slow commands explain, ms. */
const BOOT_MOMENT_SLACK_MS = 15_000;

/** RouterOS prints whole seconds, cut off: an entry may have been refreshed this much later than it says, ms. */
const PRINTED_RESOLUTION_MS = 1_000;

/** RouterOS keeps an entry for at least so long after the last packet of its connection, ms. */
const CLOSED_TIMEOUT_MS = 10_000;

/**
 * The backend booted since the last reading, or our clock was set: times of before mean nothing now.
 * Either is seen as a boot moment (now - uptime) that moved.
 */
export function timeBaseChanged({ last }: ActivityMemory, { bootedAtMs, uptimeMs }: Snapshot): boolean {
  if (!last) return false;
  const movedMs = Math.abs(bootedAtMs - last.bootedAtMs);
  return uptimeMs < last.uptimeMs || movedMs > BOOT_MOMENT_SLACK_MS;
}

/**
 * The memory after one more reading. `lastActivityMs` errs towards later, so silence is never claimed too early: what
 * cannot be dated counts as active until this reading, be it an entry that is gone, one whose packet counter moved or is
 * not known, or an address without entries that nobody watched for longer than `activityWindowMs`.
 */
export function rememberActivity(
  before: ActivityMemory,
  snapshot: Snapshot,
  activityWindowMs: number,
): ActivityMemory {
  const { sessionsReadAtMs: readAtMs, tracking, uptimeMs, bootedAtMs } = snapshot;
  const memory = timeBaseChanged(before, snapshot) ? NO_ACTIVITY : before;
  if (!tracking.on) return memory;
  const gapMs = memory.last ? readAtMs - memory.last.readAtMs : Number.POSITIVE_INFINITY;

  const sessions = new Map<string, SessionTrace>();
  for (const session of snapshot.sessions) {
    const key = `${session.address} ${session.hostPort} ${session.port}`;
    const own = trace(session, memory, key, snapshot);
    const twin = sessions.get(key);
    sessions.set(key, twin ? joined(twin, own) : own);
  }
  const addresses = new Map(memory.addresses);
  for (const { address, ...activity } of sessions.values())
    addresses.set(address, later(addresses.get(address), activity));
  const activeUntilNow = (address: string) =>
    addresses.set(address, later(addresses.get(address), { lastActivityMs: readAtMs }));
  for (const [key, gone] of memory.sessions) {
    // An entry that was closing runs out by itself: a packet since the last reading would have kept it.
    const ranOut = !gone.dated && gapMs <= CLOSED_TIMEOUT_MS;
    if (!sessions.has(key) && !ranOut) activeUntilNow(gone.address);
  }
  if (gapMs > activityWindowMs) {
    const present = new Set(snapshot.sessions.map(({ address }) => address));
    for (const address of memory.addresses.keys()) if (!present.has(address)) activeUntilNow(address);
  }
  return { addresses, sessions, last: { readAtMs, uptimeMs, bootedAtMs } };
}

function trace(
  session: Session,
  { sessions, last }: ActivityMemory,
  key: string,
  snapshot: Snapshot,
): SessionTrace {
  const { sessionsReadAtMs: readAtMs, tracking, uptimeMs } = snapshot;
  const { address, hostPackets } = session;
  const before = sessions.get(key);
  const age = sessionAge(session, tracking, uptimeMs);
  const dated = age.kind === 'dated';
  const seen = { address, hostPackets, dated };
  if (dated) {
    const provedActivityMs = readAtMs - age.ageMs;
    const lastActivityMs = Math.min(provedActivityMs + PRINTED_RESOLUTION_MS, readAtMs);
    return { ...seen, lastActivityMs, provedActivityMs };
  }
  const countedBefore = before?.hostPackets;
  if (before && countedBefore !== undefined && hostPackets === countedBefore) {
    return { ...before, ...seen }; // nothing came since
  }
  const counted = countedBefore !== undefined && hostPackets !== undefined && hostPackets > countedBefore;
  const provedActivityMs = counted ? last?.readAtMs : before?.provedActivityMs;
  return { ...seen, lastActivityMs: readAtMs, ...(provedActivityMs !== undefined && { provedActivityMs }) };
}

/** Two entries that cannot be told apart: the later of them counts, and their counters prove nothing. */
function joined(a: SessionTrace, b: SessionTrace): SessionTrace {
  return { ...b, ...later(a, b), hostPackets: undefined, dated: a.dated && b.dated };
}

function later(a: Activity | undefined, b: Activity): Activity {
  const proved = Math.max(a?.provedActivityMs ?? 0, b.provedActivityMs ?? 0);
  return {
    lastActivityMs: Math.max(a?.lastActivityMs ?? 0, b.lastActivityMs),
    ...(proved > 0 && { provedActivityMs: proved }),
  };
}

/** Addresses with an entry in this reading that surely spoke within the window before it. `memory` is that after it. */
export function liveAddresses(
  { addresses }: ActivityMemory,
  { sessions, sessionsReadAtMs }: Snapshot,
  activityWindowMs: number,
): ReadonlySet<string> {
  const live = new Set<string>();
  for (const { address } of sessions) {
    const provedMs = addresses.get(address)?.provedActivityMs;
    if (provedMs !== undefined && sessionsReadAtMs - provedMs < activityWindowMs) live.add(address);
  }
  return live;
}
