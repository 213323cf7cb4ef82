import type { Export, FenceEntry, RawRule, Session, Snapshot, Tracking } from '../../src/snapshot.ts';

const DAY_MS = 86_400_000;

/** When a snapshot is read unless given; 2026-01-01T00:00:00Z. */
export const READ_AT_MS = 1_767_225_600_000;

/** Longer ago than any session of these tests is old. */
const UPTIME_MS = 100 * DAY_MS;

export const TRACKING: Tracking = {
  on: true,
  detail: 'connection tracking is set to yes',
  establishedTimeoutMs: DAY_MS,
  shortenedTimeoutMs: 300_000,
  closingTimeoutMs: 10_000,
};

/** An established session to port 4420 whose last packet passed at least `ageMs`, and a second more at most, before the reading. */
export function session(address: string, ageMs: number, overrides: Partial<Session> = {}): Session {
  return {
    address,
    hostPort: 48_984,
    port: 4420,
    state: 'established',
    remainingMs: DAY_MS - ageMs - 1_000,
    deviceAddress: '10.0.0.10',
    isOffloaded: false,
    ...overrides,
  };
}

/** A session that does not tell its age: data is on its way. */
export function busy(address: string, hostPackets: number, overrides: Partial<Session> = {}): Session {
  return session(address, 0, { remainingMs: TRACKING.shortenedTimeoutMs, hostPackets, ...overrides });
}

export const EXPORT: Export = { slot: 'pvc-a', nqn: 'nqn.test:pvc-a', hasOwnNqn: true, port: 4420 };

export const DROP_RULE: RawRule = {
  action: 'drop',
  disabled: false,
  invalid: false,
  matchers: { protocol: 'tcp', 'dst-port': '4420', 'src-address-list': 'reattach-fenced' },
};

export function fenceEntry(overrides: Partial<FenceEntry> = {}): FenceEntry {
  const comment = 'reattach/2 id=00c0ffee node=node-a uid=uid-a boot=boot-a m=- c=- o=- at=1767225600000';
  return { address: '10.0.5.1', comment, disabled: false, dynamic: false, ...overrides };
}

/** A complete reading with one export, an enforced guard, no fence and no session. A shift of `sessionsReadAtMs` moves the uptime along. */
export function snapshot(overrides: Partial<Snapshot> = {}): Snapshot {
  const readAtMs = overrides.sessionsReadAtMs ?? READ_AT_MS;
  const uptimeMs = overrides.uptimeMs ?? UPTIME_MS + readAtMs - READ_AT_MS;
  return {
    takenAtMs: readAtMs - 4,
    sessionsAskedAtMs: readAtMs - 2,
    sessionsReadAtMs: readAtMs,
    version: { text: '7.24.2 (stable)', major: 7, minor: 24, patch: 2 },
    dialect: 'serialize',
    uptimeMs,
    bootedAtMs: readAtMs - uptimeMs,
    tracking: TRACKING,
    sessionPorts: [4420],
    sessions: [],
    controls: [],
    hasTooManySessions: false,
    skipped: [],
    exports: [EXPORT],
    fenceEntries: [],
    rawRules: [DROP_RULE],
    writeCounters: new Map(),
    ...overrides,
  };
}
