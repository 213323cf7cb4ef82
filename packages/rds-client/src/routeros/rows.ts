import * as z from 'zod';
import type { Bypass, Export, FenceEntry, RawRule, Session, WriteCounters } from '../snapshot.ts';
import { type Endpoint, parseInterfaceAddress } from './ip-address.ts';
import type { Parsed, Row } from './reply.ts';
import {
  address,
  count,
  duration,
  endpoint,
  flag,
  optional,
  parseEach,
  parseOne,
  port,
  type Rows,
  text,
} from './row-schemas.ts';

/**
 * Records of the menus as typed facts. Never throws; unknown keys are tolerated, missing ones named. Flags that say
 * whether something is in force (`disabled`, `dynamic`) must be there: what a backend leaves out is not taken as "no".
 */

export interface ResourceRow {
  readonly version: string;
  readonly uptimeMs: number;
}

const resource: z.ZodType<ResourceRow> = z
  .object({ version: text, uptime: duration })
  .transform(({ version, uptime }) => ({ version, uptimeMs: uptime }));

export interface TrackingRow {
  readonly enabled: 'yes' | 'no' | 'auto';
  /** Really on, as the backend itself says (7.24: `active-ipv4`). */
  readonly active?: boolean;
  readonly establishedTimeoutMs: number;
  readonly shortenedTimeoutMs: number;
  /** The shortest time-out of a connection that is closing or closed. */
  readonly closingTimeoutMs: number;
}

/** RouterOS' default of both timeouts an entry is cut down to. */
const DEFAULT_SHORTENED_MS = 300_000;

/** RouterOS' default of every time-out of a connection that is closing or closed. */
const DEFAULT_CLOSING_MS = 10_000;

const CLOSING_TIMEOUTS = [
  'tcp-close-timeout',
  'tcp-close-wait-timeout',
  'tcp-fin-wait-timeout',
  'tcp-last-ack-timeout',
  'tcp-time-wait-timeout',
] as const;

const tracking: z.ZodType<TrackingRow> = z
  .object({
    enabled: text
      .transform((value) => (value === 'true' ? 'yes' : value === 'false' ? 'no' : value))
      .pipe(z.enum(['yes', 'no', 'auto'])),
    active: optional(flag),
    'active-ipv4': optional(flag),
    'tcp-established-timeout': duration,
    'tcp-max-retrans-timeout': optional(duration),
    'tcp-unacked-timeout': optional(duration),
    'tcp-close-timeout': optional(duration),
    'tcp-close-wait-timeout': optional(duration),
    'tcp-fin-wait-timeout': optional(duration),
    'tcp-last-ack-timeout': optional(duration),
    'tcp-time-wait-timeout': optional(duration),
  })
  .transform(({ active, 'active-ipv4': activeIpv4 = active, ...row }) => ({
    enabled: row.enabled,
    ...(activeIpv4 !== undefined && { active: activeIpv4 }),
    establishedTimeoutMs: row['tcp-established-timeout'],
    shortenedTimeoutMs: Math.max(
      row['tcp-max-retrans-timeout'] ?? DEFAULT_SHORTENED_MS,
      row['tcp-unacked-timeout'] ?? DEFAULT_SHORTENED_MS,
    ),
    closingTimeoutMs: Math.min(...CLOSING_TIMEOUTS.map((key) => row[key] ?? DEFAULT_CLOSING_MS)),
  }));

/** An entry of connection tracking as the backend tells it: which end is the host is not known yet. */
export interface FlowRow {
  readonly src: Endpoint;
  readonly dst: Endpoint;
  readonly state: string;
  readonly remainingMs: number | undefined;
  readonly origPackets: number | undefined;
  readonly replPackets: number | undefined;
  readonly isOffloaded: boolean;
}

const flow: z.ZodType<FlowRow> = z
  .object({
    'src-address': endpoint,
    'src-port': optional(port),
    'dst-address': endpoint,
    'dst-port': optional(port),
    'tcp-state': text,
    timeout: optional(duration),
    'orig-packets': optional(count),
    'repl-packets': optional(count),
    fasttrack: optional(flag),
    'hw-offload': optional(flag),
    'orig-fasttrack-packets': optional(count),
    'repl-fasttrack-packets': optional(count),
  })
  .transform((row) => ({
    src: withPort(row['src-address'], row['src-port']),
    dst: withPort(row['dst-address'], row['dst-port']),
    state: row['tcp-state'],
    remainingMs: row.timeout,
    origPackets: numberOf(row['orig-packets']),
    replPackets: numberOf(row['repl-packets']),
    isOffloaded:
      row.fasttrack === true ||
      row['hw-offload'] === true ||
      [row['orig-fasttrack-packets'], row['repl-fasttrack-packets']].some(
        (packets) => Number(packets ?? 0) > 0,
      ),
  }));

/** What is left of a flow that cannot be read otherwise: whose it is. Nothing shows when that host last spoke. */
const brokenFlow: z.ZodType<FlowRow> = z
  .object({ 'src-address': endpoint, 'dst-address': endpoint })
  .transform((row) => ({
    src: row['src-address'],
    dst: row['dst-address'],
    state: 'unknown',
    remainingMs: undefined,
    origPackets: undefined,
    replPackets: undefined,
    isOffloaded: false,
  }));

/** The port is in the address or in a key of its own. */
function withPort({ address: own, port: inside }: Endpoint, outside: number | undefined): Endpoint {
  const known = outside ?? inside;
  return known === undefined ? { address: own } : { address: own, port: known };
}

function numberOf(digits: string | undefined): number | undefined {
  return digits === undefined ? undefined : Number(digits);
}

/**
 * The session a flow is, seen from the backend: an entry that tracking picked up in mid-stream may begin with a packet of
 * the backend. `undefined`: it does not end at these ports of the backend's own addresses.
 * @param own the backend's addresses; `undefined`: not known, so any may be
 */
function toSession(
  row: FlowRow,
  ports: ReadonlySet<number>,
  own: ReadonlySet<string> | undefined,
): Session | undefined {
  const { src, dst, state, remainingMs, origPackets, replPackets, isOffloaded } = row;
  const endsAt = ({ address: end, port: at }: Endpoint) =>
    (at === undefined ? state === 'unknown' : ports.has(at)) && (own?.has(end) ?? true);
  const forward = endsAt(dst);
  if (!forward && !endsAt(src)) return undefined;
  const [host, device] = forward ? [src, dst] : [dst, src];
  const hostPackets = forward ? origPackets : replPackets;
  return {
    address: host.address,
    port: device.port ?? Math.min(...ports),
    state,
    ...(host.port !== undefined && { hostPort: host.port }),
    ...(remainingMs !== undefined && { remainingMs }),
    ...(hostPackets !== undefined && { hostPackets }),
    deviceAddress: device.address,
    isOffloaded,
  };
}

const fenceEntry: z.ZodType<FenceEntry> = z
  .object({ address, comment: text.optional(), disabled: flag, dynamic: flag })
  .transform(({ comment, ...row }) => ({ ...row, comment: comment ?? '' }));

/** Properties of a raw rule that do not narrow it. Any other one that is set is a condition, known to us or not. */
const NOT_CONDITIONS: ReadonlySet<string> = new Set([
  '.id',
  '.nextid',
  'action',
  'address-list',
  'address-list-timeout',
  'bytes',
  'chain',
  'comment',
  'disabled',
  'dynamic',
  'invalid',
  'jump-target',
  'log',
  'log-prefix',
  'packets',
  'properties',
]);

/** `get` of a whole rule as text, `action=drop;chain=prerouting;...`: names what the second dialect has no field for. */
const PROPERTY = /(?:^|;)([a-z][a-z0-9-]*)=/g;

const rawRule: z.ZodType<RawRule> = z
  .looseObject({ action: text, disabled: flag, invalid: optional(flag), properties: optional(text) })
  .transform((row) => {
    const known = Object.keys(row).filter((key) => !NOT_CONDITIONS.has(key) && isSet(row[key]));
    const others = [...(row.properties ?? '').matchAll(PROPERTY)]
      .map(([, key = '']) => key)
      .filter((key) => !NOT_CONDITIONS.has(key) && !(key in row));
    return {
      action: row.action,
      disabled: row.disabled,
      invalid: row.invalid ?? false,
      matchers: Object.fromEntries([
        ...others.map((key) => [key, 'set'] as const),
        ...known.map((key) => [key, asText(row[key])] as const),
      ]),
    };
  });

/** A rule that cannot be read may let every packet pass. */
const UNREADABLE_RULE: RawRule = { action: 'unreadable', disabled: false, invalid: false, matchers: {} };

function isSet(value: unknown): boolean {
  return value !== undefined && value !== null && value !== '' && value !== false;
}

function asText(value: unknown): string {
  return typeof value === 'string' ? value : JSON.stringify(value);
}

const anExport: z.ZodType<Export> = z
  .object({
    slot: text,
    'nvme-tcp-server-nqn': optional(text),
    'nvme-tcp-server-port': port,
    'nvme-tcp-server-allow-host-name': optional(text),
    size: optional(count),
  })
  .transform((row) => {
    const nqn = row['nvme-tcp-server-nqn'];
    const allowedHost = row['nvme-tcp-server-allow-host-name'];
    return {
      slot: row.slot,
      nqn: nqn ?? row.slot,
      hasOwnNqn: nqn !== undefined,
      port: row['nvme-tcp-server-port'],
      ...(row.size !== undefined && { sizeBytes: Number(row.size) }),
      ...(allowedHost !== undefined && { allowedHost }),
    };
  });

const stats = z.object({ slot: text, 'write-ops': count, 'write-bytes': count, 'in-flight-ops': count });

export function parseResource(rows: readonly Row[]): Parsed<ResourceRow> {
  return parseOne('resource', resource, rows);
}

export function parseTracking(rows: readonly Row[]): Parsed<TrackingRow> {
  return parseOne('tracking', tracking, rows);
}

/**
 * Sessions between hosts and these ports of the backend's own addresses. A row that cannot be read counts as a session of
 * its host that may have spoken just now; one without addresses is skipped.
 */
export function parseSessions(
  rows: readonly Row[],
  ports: readonly number[],
  own?: readonly string[],
): Rows<Session> {
  const exported = new Set(ports);
  const addresses = own && new Set(own);
  const flows = parseEach('sessions', flow, rows, (row) => brokenFlow.safeParse(row).data);
  return { ...flows, rows: flows.rows.flatMap((row) => toSession(row, exported, addresses) ?? []) };
}

/** Entries that are not a single address, such as a range or a name, are not ours. */
export function parseFenceEntries(rows: readonly Row[]): Rows<FenceEntry> {
  return parseEach('fences', fenceEntry, rows);
}

export function parseRawRules(rows: readonly Row[]): Rows<RawRule> {
  return parseEach('raw', rawRule, rows, () => UNREADABLE_RULE);
}

const interfaceAddress = z
  .object({ address: text, disabled: optional(flag) })
  .transform(({ address: written, disabled }) =>
    disabled === true ? undefined : parseInterfaceAddress(written),
  );

/** The backend's own addresses. */
export function parseOwnAddresses(rows: readonly Row[]): Rows<string> {
  const parsed = parseEach('addresses', interfaceAddress, rows);
  return { ...parsed, rows: parsed.rows.flatMap((own) => own ?? []) };
}

const ipSettings = z.object({ 'ipv4-fasttrack-active': optional(flag) });
const bridgeSettings = z.object({
  'use-ip-firewall': optional(flag),
  'bridge-fast-path-active': optional(flag),
});

/** Whether settings let packets pass firewall and tracking unseen. @param rows by label; a menu that was refused is missing */
export function parseBypass(rows: (label: string) => readonly Row[]): Bypass | undefined {
  const ip = ipSettings.safeParse(rows('settings')[0] ?? {}).data;
  if (ip?.['ipv4-fasttrack-active'])
    return {
      detail: 'FastTrack is active, so packets may pass connection tracking unseen',
      fix: '/ip/firewall/filter/disable [find where action=fasttrack-connection]; /ip/settings/set allow-fast-path=no',
    };
  const bridge = bridgeSettings.safeParse(rows('bridge')[0] ?? {}).data;
  if (bridge?.['bridge-fast-path-active'] && !bridge['use-ip-firewall'])
    return {
      detail: 'bridged packets pass the firewall unseen',
      fix: '/interface/bridge/settings/set use-ip-firewall=yes',
    };
  return undefined;
}

/** @param ownNqn exports of this version have an NQN of their own, so it must be there */
export function parseExports(rows: readonly Row[], ownNqn: boolean): Rows<Export> {
  const parsed = parseEach('exports', anExport, rows);
  if (!ownNqn) return parsed;
  const nameless = parsed.rows.filter(({ hasOwnNqn }) => !hasOwnNqn);
  return {
    rows: parsed.rows.filter(({ hasOwnNqn }) => hasOwnNqn),
    skipped: [...parsed.skipped, ...nameless.map(({ slot }) => `export ${slot} has no NQN`)],
  };
}

/** By slot. This form is not documented, so a row without the counters is a volume without counters, not a fault. */
export function parseStats(rows: readonly Row[]): ReadonlyMap<string, WriteCounters> {
  const counters = new Map<string, WriteCounters>();
  for (const row of rows) {
    const parsed = stats.safeParse(row);
    if (!parsed.success) continue;
    const {
      slot,
      'write-ops': writeOps,
      'write-bytes': writeBytes,
      'in-flight-ops': inFlightOps,
    } = parsed.data;
    counters.set(slot, { writeOps, writeBytes, inFlightOps });
  }
  return counters;
}
