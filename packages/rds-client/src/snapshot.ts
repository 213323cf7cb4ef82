import type { RouterOsVersion } from './routeros/version.ts';

/** How the backend is read: JSON from `:serialize`, or one line a record where that is refused. */
export type Dialect = 'serialize' | 'records';

/** Connection tracking of the backend. */
export interface Tracking {
  /** It really runs, which `auto` alone does not say, and no rule keeps the export ports out of it. */
  readonly on: boolean;
  /** Why it is taken as on or off. */
  readonly detail: string;
  /** What to type at the backend when it is off. */
  readonly fix?: string;
  /** `tcp-established-timeout`: what every packet of an established session winds its entry up to, ms. */
  readonly establishedTimeoutMs: number;
  /**
   * Remaining time an entry is cut down to while data is not acknowledged (`tcp-max-retrans-timeout`,
   * `tcp-unacked-timeout`, the longer of them), ms. At or below it the age of an entry is unknown.
   */
  readonly shortenedTimeoutMs: number;
  /** The shortest of the time-outs of closing states: an entry stays at least so long after the last packet, ms. */
  readonly closingTimeoutMs: number;
}

/** One entry of connection tracking between a host and an export port. */
export interface Session {
  /** The host's. */
  readonly address: string;
  readonly hostPort?: number;
  /** The export's. */
  readonly port: number;
  /** `established`, `syn-sent`, `close-wait`, ... */
  readonly state: string;
  /** Time until the entry expires, ms; absent when the backend does not say. */
  readonly remainingMs?: number;
  /** Packets that came from the host. */
  readonly hostPackets?: number;
  /** The backend's end. */
  readonly deviceAddress: string;
  /** FastTrack or hardware carries its packets: firewall and counters do not see them. */
  readonly isOffloaded: boolean;
}

/** One NVMe/TCP export. */
export interface Export {
  readonly slot: string;
  /** The subsystem's; before RouterOS 7.21 it is the slot. */
  readonly nqn: string;
  /** The backend tells NQNs apart from slots. */
  readonly hasOwnNqn: boolean;
  readonly port: number;
  readonly sizeBytes?: number;
  /** Host NQN that may connect; empty: any. */
  readonly allowedHost?: string;
}

/** One entry of the fence list, ours or foreign. */
export interface FenceEntry {
  readonly address: string;
  readonly comment: string;
  readonly disabled: boolean;
  /** Made by a script or a timer: gone after a reboot or earlier. */
  readonly dynamic: boolean;
}

/** One rule of the raw table, chain prerouting, in the order of the table. */
export interface RawRule {
  readonly action: string;
  readonly disabled: boolean;
  readonly invalid: boolean;
  /** All conditions that are set, by property. */
  readonly matchers: Readonly<Record<string, string>>;
}

/** A setting by which packets pass firewall and connection tracking unseen. */
export interface Bypass {
  readonly detail: string;
  /** What to type at the backend. */
  readonly fix: string;
}

/** What a user may do: its group, and the policies of the group. */
export interface UserGroup {
  readonly group: string;
  readonly policies: readonly string[];
}

/** Write counters of one export. */
export interface WriteCounters {
  readonly writeOps: string;
  readonly writeBytes: string;
  readonly inFlightOps: string;
}

/** One complete reading of a backend. */
export interface Snapshot {
  /** When the first command of the reading was sent, epoch ms. */
  readonly takenAtMs: number;
  /** When the sessions were asked for and when the answer was here, epoch ms. */
  readonly sessionsAskedAtMs: number;
  readonly sessionsReadAtMs: number;
  readonly version: RouterOsVersion;
  readonly dialect: Dialect;
  readonly uptimeMs: number;
  /** When the backend booted by our clock, epoch ms; off by what the command took. */
  readonly bootedAtMs: number;
  readonly tracking: Tracking;
  /** Ports the sessions were asked for. */
  readonly sessionPorts: readonly number[];
  readonly sessions: readonly Session[];
  readonly exports: readonly Export[];
  readonly fenceEntries: readonly FenceEntry[];
  readonly rawRules: readonly RawRule[];
  /** Own flows of the SSH service: the controller's connection among them. */
  readonly controls: readonly Session[];
  /** The backend's own addresses; absent: it did not say. */
  readonly ownAddresses?: readonly string[];
  /** Why packets may pass firewall and tracking unseen; absent: nothing says so. */
  readonly bypass?: Bypass;
  /** By user name; absent: the backend did not say. */
  readonly groupPolicies?: ReadonlyMap<string, UserGroup>;
  /** More entries than a reading may hold: the sessions were not read. */
  readonly hasTooManySessions: boolean;
  /** Rows that were skipped because they were not understood, in words. */
  readonly skipped: readonly string[];
  /** By slot; a slot is missing, or all are, when the backend gives none. */
  readonly writeCounters: ReadonlyMap<string, WriteCounters>;
}
