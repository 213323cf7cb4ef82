import { sessionAge } from './session-age.ts';
import type { Snapshot } from './snapshot.ts';

/** What is remembered of one storage address. */
export interface AddressActivity {
  /** It was silent ever since, epoch ms; its last packet may have been earlier. */
  readonly lastActivityMs: number;
  /** The last reading had an entry of it that tells its age. */
  readonly dated: boolean;
}

/**
 * Last activity of every address ever seen in the box's connection tracking, in this process and since the box last
 * booted. It lets a host whose entries are gone count as silent; a host that was never seen never does.
 */
export interface ActivityMemory {
  readonly addresses: ReadonlyMap<string, AddressActivity>;
  /** When the last usable reading was made, and how long the box had been up; absent before the first. */
  readonly last?: { readonly readAtMs: number; readonly bootedAtMs: number; readonly uptimeMs: number };
}

export const NO_ACTIVITY: ActivityMemory = { addresses: new Map() };

/** Largest move of the box's boot moment, by our clock, that slow commands explain, ms. */
const BOOT_MOMENT_SLACK_MS = 15_000;

/**
 * The box booted since the last reading, or our clock was set: times of before mean nothing now.
 * Either is seen as a boot moment (now - uptime) that moved.
 */
export function timeBaseChanged({ last }: ActivityMemory, { sessionsReadAtMs, uptimeMs }: Snapshot): boolean {
  if (!last) return false;
  const movedMs = Math.abs(sessionsReadAtMs - uptimeMs - last.bootedAtMs);
  return uptimeMs < last.uptimeMs || movedMs > BOOT_MOMENT_SLACK_MS;
}

/**
 * The memory after one more reading. Times err towards later, so silence is never claimed too early: an entry that is
 * gone or no longer tells its age counts as active until the reading that showed it first, and until every reading that
 * comes more than `activityWindowMs` after the one before, since nobody watched in between.
 */
export function rememberActivity(
  before: ActivityMemory,
  snapshot: Snapshot,
  activityWindowMs: number,
): ActivityMemory {
  const { sessions, sessionsReadAtMs: readAtMs, tracking, uptimeMs } = snapshot;
  const memory = timeBaseChanged(before, snapshot) ? NO_ACTIVITY : before;
  if (!tracking.on) return memory;
  const last = { readAtMs, uptimeMs, bootedAtMs: readAtMs - uptimeMs };

  const dated = new Map<string, number>();
  const active = new Set<string>();
  const present = new Set<string>();
  for (const session of sessions) {
    present.add(session.address);
    const age = sessionAge(session, tracking, uptimeMs);
    if (age.kind === 'opening') active.add(session.address);
    if (age.kind !== 'dated') continue;
    const lastMs = readAtMs - age.ageMs;
    dated.set(session.address, Math.max(dated.get(session.address) ?? 0, lastMs));
  }

  const watched = memory.last !== undefined && readAtMs - memory.last.readAtMs <= activityWindowMs;
  const addresses = new Map<string, AddressActivity>();
  for (const address of new Set([...memory.addresses.keys(), ...present])) {
    const known = memory.addresses.get(address);
    const datedMs = dated.get(address);
    const lost = datedMs === undefined && (!known || known.dated || !watched);
    const lastActivityMs = Math.max(
      known?.lastActivityMs ?? 0,
      datedMs ?? 0,
      lost || active.has(address) ? readAtMs : 0,
    );
    addresses.set(address, { lastActivityMs, dated: datedMs !== undefined });
  }
  return { addresses, last };
}
