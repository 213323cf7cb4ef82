import type { SshSession } from '@reattach/ssh-transport';
import type { Capabilities } from './capabilities.ts';
import { type Answer, type RouterOsClient, valueOf } from './router-os-client.ts';
import { packStatements } from './routeros/command-line.ts';
import {
  backendStatements,
  networkStatement,
  type Statement,
  sessionStatements,
  statsStatement,
} from './routeros/queries.ts';
import type { Reply, Row } from './routeros/reply.ts';
import {
  parseBypass,
  parseExports,
  parseFenceEntries,
  parseOwnAddresses,
  parseRawRules,
  parseResource,
  parseSessions,
  parseStats,
  parseTracking,
  type TrackingRow,
} from './routeros/rows.ts';
import { parseUserGroups } from './routeros/user-groups.ts';
import { mayMatch } from './rule-match.ts';
import type { Bypass, RawRule, Snapshot, Tracking, UserGroup } from './snapshot.ts';

/** The port sessions are looked for when nothing is exported. */
export const DEFAULT_PORT = 4420;

/** Entries of about 700 bytes, so that a reply stays below 8 MiB. */
const MAX_ENTRIES = 11_000;

/** What of the network a backend has said, and when; settings change rarely, so they are not part of every reading. */
export interface NetworkFacts {
  readonly readAtMs: number;
  /** Absent: the backend does not say. */
  readonly ownAddresses?: readonly string[];
  readonly bypass?: Bypass;
  readonly groupPolicies?: ReadonlyMap<string, UserGroup>;
  readonly skipped: readonly string[];
}

/** Reads the backend's addresses, the settings by which packets pass unseen, and what its users may do. One round trip. */
export async function readNetwork(
  client: RouterOsClient,
  session: SshSession,
  { dialect, networkMenus }: Capabilities,
  signal: AbortSignal,
): Promise<NetworkFacts> {
  const statements = networkMenus.map((menu) => networkStatement(menu, dialect));
  const { value, receivedAtMs } = await readAll(
    client,
    session,
    'read network',
    statements,
    signal,
    (rows) => ({
      own: parseOwnAddresses(rows('addresses')),
      bypass: parseBypass(rows),
      groupPolicies: parseUserGroups(rows),
    }),
  );
  const { own, bypass, groupPolicies } = value;
  return {
    readAtMs: receivedAtMs,
    skipped: own.skipped,
    ...(own.rows.length > 0 && { ownAddresses: own.rows }),
    ...(bypass && { bypass }),
    groupPolicies,
  };
}

/**
 * Reads everything about the backend: two round trips for up to two export ports, more when there are more ports or the
 * backend speaks the second dialect. Sessions come last, after the exports that say which ports count, and only when there are
 * not too many for a reply.
 * @param known the network, and the export ports of the reading before
 * @throws {BackendError} when any part of it is missing or not understood
 */
export async function readSnapshot(
  client: RouterOsClient,
  session: SshSession,
  { version, dialect, ownNqn, writeCounters: hasCounters }: Capabilities,
  { network, knownPorts }: { readonly network: NetworkFacts; readonly knownPorts: readonly number[] },
  signal: AbortSignal,
): Promise<Snapshot> {
  const device = await readAll(
    client,
    session,
    'read backend',
    backendStatements(dialect, ownNqn, [...knownPorts, client.port]),
    signal,
    (rows) => ({
      uptimeMs: valueOf(parseResource(rows('resource'))).uptimeMs,
      exported: parseExports(rows('exports'), ownNqn),
      fenced: parseFenceEntries(rows('fences')),
      raw: parseRawRules(rows('raw')),
      entries: rows('count').reduce((sum, { entries }) => sum + Number(entries), 0),
    }),
  );
  const { uptimeMs, exported, fenced, raw, entries } = device.value;
  const hasTooManySessions = !(entries <= MAX_ENTRIES);

  const ports = [...new Set(exported.rows.map(({ port }) => port))];
  const sessionPorts = ports.length === 0 ? [DEFAULT_PORT] : ports.toSorted((a, b) => a - b);
  const { ownAddresses, bypass, groupPolicies } = network;
  const statements = [
    ...sessionStatements(dialect, hasTooManySessions ? [] : sessionPorts, client.port),
    ...(hasCounters ? [statsStatement(dialect)] : []),
  ];
  const talk = await readAll(client, session, 'read sessions', statements, signal, (rows) => ({
    tracking: valueOf(parseTracking(rows('tracking'))),
    sessions: parseSessions(rows('sessions'), sessionPorts, ownAddresses),
    controls: parseSessions(rows('controls'), [client.port], ownAddresses),
    writeCounters: parseStats(rows('stats')),
  }));
  const { tracking, sessions, controls, writeCounters } = talk.value;
  return {
    takenAtMs: device.sentAtMs,
    sessionsAskedAtMs: talk.sentAtMs,
    sessionsReadAtMs: talk.receivedAtMs,
    version,
    dialect,
    uptimeMs,
    bootedAtMs: device.firstReceivedAtMs - uptimeMs,
    tracking: trackingState(tracking, raw.rows, sessionPorts),
    sessionPorts,
    sessions: sessions.rows,
    controls: controls.rows,
    ...(ownAddresses && { ownAddresses }),
    ...(bypass && { bypass }),
    groupPolicies,
    hasTooManySessions,
    exports: exported.rows,
    fenceEntries: fenced.rows,
    rawRules: raw.rows,
    writeCounters,
    skipped: [exported, fenced, raw, sessions, network].flatMap(({ skipped }) => skipped),
  };
}

interface Answers<T> {
  readonly value: T;
  /** Of the first command. */
  readonly sentAtMs: number;
  readonly firstReceivedAtMs: number;
  /** Of the last reply. */
  readonly receivedAtMs: number;
}

/** Says one line after the other; `interpret` is given the rows of all of them by label, as part of the last. */
async function readAll<T>(
  client: RouterOsClient,
  session: SshSession,
  name: 'read backend' | 'read sessions' | 'read network',
  statements: readonly Statement[],
  signal: AbortSignal,
  interpret: (rows: (label: string) => readonly Row[]) => T,
): Promise<Answers<T>> {
  const rows = new Map<string, readonly Row[]>();
  const collect = (reply: Reply): void => {
    for (const [label, more] of reply) rows.set(label, [...(rows.get(label) ?? []), ...more]);
  };
  const lines = packStatements(statements);
  const earlier: Answer<void>[] = [];
  for (const line of lines.slice(0, -1)) {
    earlier.push(await client.run(session, name, line, signal, collect));
  }
  const last = await client.run(session, name, lines.at(-1) ?? [], signal, (reply) => {
    collect(reply);
    return interpret((label) => rows.get(label) ?? []);
  });
  const all = [...earlier, last];
  return {
    value: last.value,
    sentAtMs: Math.min(...all.map(({ sentAtMs }) => sentAtMs)),
    firstReceivedAtMs: Math.min(...all.map(({ receivedAtMs }) => receivedAtMs)),
    receivedAtMs: last.receivedAtMs,
  };
}

/** What may keep packets from being tracked; a `jump` may lead to such a rule in a chain we do not read. */
const HIDING_ACTIONS: readonly string[] = ['notrack', 'jump'];

const TRACK = '/ip/firewall/connection/tracking/set enabled=yes';

/** Which of the rules may be spared is the operator's to say, so this only finds them; a negated `dst-port` would not do. */
function unhide({ action }: RawRule, ports: readonly number[]): string {
  const find = `/ip/firewall/raw/print where chain=prerouting and action=${action}`;
  return `${find}; then /ip/firewall/raw/disable NUMBER, or set its dst-port to a list without ${ports.join(', ')}`;
}

/**
 * `auto` runs only while there is a firewall rule; newer versions say themselves whether it does. Off as well where a
 * rule keeps packets to the export ports from being tracked.
 */
function trackingState(row: TrackingRow, rawRules: readonly RawRule[], ports: readonly number[]): Tracking {
  const { establishedTimeoutMs, shortenedTimeoutMs, closingTimeoutMs } = row;
  const state = (on: boolean, detail: string, fix = TRACK): Tracking => ({
    on,
    detail,
    ...(!on && { fix }),
    establishedTimeoutMs,
    shortenedTimeoutMs,
    closingTimeoutMs,
  });
  const rule = rawRules.find((each) => HIDING_ACTIONS.includes(each.action) && mayMatch(each, ports));
  if (rule)
    return state(false, `a raw rule with action ${rule.action} may hide sessions`, unhide(rule, ports));
  if (row.enabled !== 'auto')
    return state(row.enabled === 'yes', `connection tracking is set to ${row.enabled}`);
  if (row.active !== undefined) {
    return state(
      row.active,
      `connection tracking is set to auto and ${row.active ? 'active' : 'not active'}`,
    );
  }
  const rules = rawRules.filter(({ disabled }) => !disabled).length;
  return state(rules > 0, `connection tracking is set to auto and there are ${rules} raw rules`);
}
