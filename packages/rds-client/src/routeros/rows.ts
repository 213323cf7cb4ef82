import * as z from 'zod';
import type { Export, FenceEntry, RawRule, Session, WriteCounters } from '../snapshot.ts';
import { parseDuration } from './duration.ts';
import { type Endpoint, normaliseAddress, parseEndpoint } from './ip-address.ts';
import type { Parsed, Row } from './reply.ts';

/**
 * Records of the menus as typed facts. Never throws; unknown keys are tolerated, missing ones named. Flags that say
 * whether something is in force (`disabled`, `dynamic`) must be there: what a backend leaves out is not taken as "no".
 */

const text = z.union([z.string(), z.number(), z.boolean()]).transform(String);

const flag = z
  .union([z.boolean(), z.enum(['true', 'false', 'yes', 'no'])])
  .transform((value) => value === true || value === 'true' || value === 'yes');

const count = text.refine((value) => /^\d{1,20}$/.test(value), 'is not a number');

const duration = text.transform((value, context) => {
  const parsed = parseDuration(value);
  if (parsed !== undefined) return parsed;
  context.addIssue('is not a duration');
  return z.NEVER;
});

const address = text.transform((value, context) => {
  const parsed = normaliseAddress(value);
  if (parsed !== undefined) return parsed;
  context.addIssue('is no single address');
  return z.NEVER;
});

const endpoint = text.transform((value, context) => {
  const parsed = parseEndpoint(value);
  if (parsed !== undefined) return parsed;
  context.addIssue('is no address');
  return z.NEVER;
});

const port = text.transform((value, context) => {
  const parsed = /^\d{1,5}$/.test(value) ? Number(value) : 0;
  if (parsed >= 1 && parsed <= 65_535) return parsed;
  context.addIssue('is no port');
  return z.NEVER;
});

/** Empty when the property is not set. */
const optional = <T extends z.ZodType>(schema: T) =>
  z.preprocess((value) => (value === '' || value === null ? undefined : value), schema.optional());

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
}

/** RouterOS' default of both timeouts an entry is cut down to. */
const DEFAULT_SHORTENED_MS = 300_000;

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
  })
  .transform(({ active, 'active-ipv4': activeIpv4 = active, ...row }) => ({
    enabled: row.enabled,
    ...(activeIpv4 !== undefined && { active: activeIpv4 }),
    establishedTimeoutMs: row['tcp-established-timeout'],
    shortenedTimeoutMs: Math.max(
      row['tcp-max-retrans-timeout'] ?? DEFAULT_SHORTENED_MS,
      row['tcp-unacked-timeout'] ?? DEFAULT_SHORTENED_MS,
    ),
  }));

/** An entry of connection tracking as the backend tells it: which end is the host is not known yet. */
export interface FlowRow {
  readonly src: Endpoint;
  readonly dst: Endpoint;
  readonly state: string;
  readonly remainingMs: number | undefined;
  readonly origPackets: number | undefined;
  readonly replPackets: number | undefined;
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
  })
  .transform((row) => ({
    src: withPort(row['src-address'], row['src-port']),
    dst: withPort(row['dst-address'], row['dst-port']),
    state: row['tcp-state'],
    remainingMs: row.timeout,
    origPackets: numberOf(row['orig-packets']),
    replPackets: numberOf(row['repl-packets']),
  }));

/** The port stands in the address or in a key of its own. */
function withPort({ address: own, port: inside }: Endpoint, outside: number | undefined): Endpoint {
  const known = outside ?? inside;
  return known === undefined ? { address: own } : { address: own, port: known };
}

function numberOf(digits: string | undefined): number | undefined {
  return digits === undefined ? undefined : Number(digits);
}

/**
 * The session a flow is, seen from the backend: an entry that tracking picked up in mid-stream may begin with a packet of
 * the backend. `undefined`: it has nothing to do with these export ports.
 */
function toSession(row: FlowRow, ports: ReadonlySet<number>): Session | undefined {
  const { src, dst, state, remainingMs, origPackets, replPackets } = row;
  const forward = dst.port !== undefined && ports.has(dst.port);
  const exportPort = forward ? dst.port : src.port;
  if (exportPort === undefined || !ports.has(exportPort)) return undefined;
  const host = forward ? src : dst;
  const hostPackets = forward ? origPackets : replPackets;
  return {
    address: host.address,
    port: exportPort,
    state,
    ...(host.port !== undefined && { hostPort: host.port }),
    ...(remainingMs !== undefined && { remainingMs }),
    ...(hostPackets !== undefined && { hostPackets }),
  };
}

const fenceEntry: z.ZodType<FenceEntry> = z
  .object({ address, comment: text.optional(), disabled: flag, dynamic: flag })
  .transform(({ comment, ...row }) => ({ ...row, comment: comment ?? '' }));

/**
 * Conditions of a raw rule, RouterOS 7.24. Properties that are not among them (counters, comments, logging) do not
 * narrow a rule.
 */
export const RAW_MATCHERS = [
  'protocol',
  'dst-port',
  'src-address-list',
  'src-address',
  'dst-address',
  'dst-address-list',
  'src-port',
  'in-interface',
  'in-interface-list',
  'port',
  'src-address-type',
  'dst-address-type',
  'src-mac-address',
  'in-bridge-port',
  'in-bridge-port-list',
  'out-interface',
  'out-interface-list',
  'out-bridge-port',
  'out-bridge-port-list',
  'tcp-flags',
  'tcp-mss',
  'packet-size',
  'packet-mark',
  'per-connection-classifier',
  'random',
  'nth',
  'limit',
  'dst-limit',
  'time',
  'ttl',
  'dscp',
  'content',
  'fragment',
  'hotspot',
  'icmp-options',
  'ingress-priority',
  'ipsec-policy',
  'ipv4-options',
  'priority',
  'psd',
  'tls-host',
] as const;

const rawRule: z.ZodType<RawRule> = z
  .looseObject({ action: text, disabled: flag, invalid: optional(flag) })
  .transform((row) => ({
    action: row.action,
    disabled: row.disabled,
    invalid: row.invalid ?? false,
    matchers: Object.fromEntries(
      RAW_MATCHERS.filter((key) => isSet(row[key])).map((key) => [key, asText(row[key])]),
    ),
  }));

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

/** Sessions between hosts and these export ports; other entries are none. */
export function parseSessions(rows: readonly Row[], ports: readonly number[]): Parsed<readonly Session[]> {
  const parsed = parseAll('sessions', flow, rows);
  if (!parsed.ok) return parsed;
  const exported = new Set(ports);
  return { ok: true, value: parsed.value.flatMap((row) => toSession(row, exported) ?? []) };
}

export function parseFenceEntries(rows: readonly Row[]): Parsed<readonly FenceEntry[]> {
  return parseAll('fences', fenceEntry, rows);
}

export function parseRawRules(rows: readonly Row[]): Parsed<readonly RawRule[]> {
  return parseAll('raw', rawRule, rows);
}

/** @param ownNqn exports of this version have an NQN of their own, so it must be there */
export function parseExports(rows: readonly Row[], ownNqn: boolean): Parsed<readonly Export[]> {
  const parsed = parseAll('exports', anExport, rows);
  if (!parsed.ok || !ownNqn) return parsed;
  const without = parsed.value.findIndex(({ hasOwnNqn }) => !hasOwnNqn);
  return without === -1 ? parsed : malformed(`exports[${without}].nvme-tcp-server-nqn is missing`);
}

/** By slot. Nobody has published this form, so a row without the counters is a volume without counters, not a fault. */
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

function parseOne<T>(label: string, schema: z.ZodType<T>, rows: readonly Row[]): Parsed<T> {
  const parsed = parseAll(label, schema, rows);
  if (!parsed.ok) return parsed;
  const [first, ...more] = parsed.value;
  if (first === undefined || more.length > 0)
    return malformed(`${label} has ${rows.length} records instead of 1`);
  return { ok: true, value: first };
}

function parseAll<T>(label: string, schema: z.ZodType<T>, rows: readonly Row[]): Parsed<readonly T[]> {
  const values: T[] = [];
  for (const [index, row] of rows.entries()) {
    const parsed = schema.safeParse(row);
    if (!parsed.success) return malformed(`${label}[${index}]${describe(parsed.error, row)}`);
    values.push(parsed.data);
  }
  return { ok: true, value: values };
}

function describe(error: z.ZodError, row: Row): string {
  const issue = error.issues[0];
  const key = String(issue?.path[0] ?? '');
  const missing = key !== '' && row[key] === undefined;
  return `.${key} ${missing ? 'is missing' : issue?.code === 'custom' ? issue.message : 'has an unexpected value'}`;
}

function malformed(detail: string): {
  readonly ok: false;
  readonly fault: { code: 'MALFORMED'; detail: string };
} {
  return { ok: false, fault: { code: 'MALFORMED', detail } };
}
