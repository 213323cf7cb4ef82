import type { Capabilities } from './capabilities.ts';
import type { RouterOsClient } from './router-os-client.ts';
import { packStatements } from './routeros/command-line.ts';
import { boxStatements, type Statement, sessionStatements, statsStatement } from './routeros/queries.ts';
import type { Reply, Row } from './routeros/reply.ts';
import {
  parseExports,
  parseFenceEntries,
  parseRawRules,
  parseResource,
  parseSessions,
  parseStats,
  parseTracking,
  type TrackingRow,
} from './routeros/rows.ts';
import { mayMatch } from './rule-match.ts';
import type { RawRule, Snapshot, Tracking } from './snapshot.ts';
import type { SshSession } from './ssh/ssh-session.ts';

/** The port sessions are looked for when nothing is exported. */
const DEFAULT_PORT = 4420;

/**
 * Reads everything about the box: two round trips for up to three export ports, more when there are more ports or the
 * box speaks the second dialect. Sessions come last, after the exports that say which ports count.
 * @throws {RdsError} when any part of it is missing or not understood
 */
export async function readSnapshot(
  client: RouterOsClient,
  session: SshSession,
  { version, dialect, ownNqn, writeCounters }: Capabilities,
  signal: AbortSignal,
): Promise<Snapshot> {
  const box = await readAll(client, session, 'read box', boxStatements(dialect, ownNqn), signal);
  const rows = (label: string) => box.rows.get(label) ?? [];
  const { uptimeMs } = client.unwrap('read box', parseResource(rows('resource')));
  const exports = client.unwrap('read box', parseExports(rows('exports'), ownNqn));
  const fenceEntries = client.unwrap('read box', parseFenceEntries(rows('fences')));
  const rawRules = client.unwrap('read box', parseRawRules(rows('raw')));

  const ports = [...new Set(exports.map(({ port }) => port))];
  const sessionPorts = ports.length === 0 ? [DEFAULT_PORT] : ports.toSorted((a, b) => a - b);
  const statements = [
    ...sessionStatements(dialect, sessionPorts),
    ...(writeCounters ? [statsStatement(dialect)] : []),
  ];
  const talk = await readAll(client, session, 'read sessions', statements, signal);
  const tracking = client.unwrap('read sessions', parseTracking(talk.rows.get('tracking') ?? []));
  const sessions = client.unwrap(
    'read sessions',
    parseSessions(talk.rows.get('sessions') ?? [], sessionPorts),
  );
  return {
    takenAtMs: box.sentAtMs,
    sessionsAskedAtMs: talk.sentAtMs,
    sessionsReadAtMs: talk.receivedAtMs,
    version,
    dialect,
    uptimeMs,
    bootedAtMs: box.firstReceivedAtMs - uptimeMs,
    tracking: trackingState(tracking, rawRules, sessionPorts),
    sessionPorts,
    sessions,
    exports,
    fenceEntries,
    rawRules,
    writeCounters: parseStats(talk.rows.get('stats') ?? []),
  };
}

interface Answers {
  readonly rows: Reply;
  /** Of the first command. */
  readonly sentAtMs: number;
  readonly firstReceivedAtMs: number;
  /** Of the last reply. */
  readonly receivedAtMs: number;
}

async function readAll(
  client: RouterOsClient,
  session: SshSession,
  name: 'read box' | 'read sessions',
  statements: readonly Statement[],
  signal: AbortSignal,
): Promise<Answers> {
  const rows = new Map<string, readonly Row[]>();
  let sentAtMs = Number.POSITIVE_INFINITY;
  let firstReceivedAtMs = Number.POSITIVE_INFINITY;
  let receivedAtMs = 0;
  for (const line of packStatements(statements)) {
    const answer = await client.run(session, name, line, signal);
    sentAtMs = Math.min(sentAtMs, answer.sentAtMs);
    firstReceivedAtMs = Math.min(firstReceivedAtMs, answer.receivedAtMs);
    receivedAtMs = answer.receivedAtMs;
    for (const [label, more] of answer.reply) rows.set(label, [...(rows.get(label) ?? []), ...more]);
  }
  return { rows, sentAtMs, firstReceivedAtMs, receivedAtMs };
}

/**
 * `auto` runs only while there is a firewall rule; newer versions say themselves whether it does. Off as well where a
 * rule keeps packets to the export ports from being tracked.
 */
function trackingState(row: TrackingRow, rawRules: readonly RawRule[], ports: readonly number[]): Tracking {
  const { establishedTimeoutMs, shortenedTimeoutMs } = row;
  const state = (on: boolean, detail: string): Tracking => ({
    on,
    detail,
    establishedTimeoutMs,
    shortenedTimeoutMs,
  });
  if (rawRules.some((rule) => rule.action === 'notrack' && mayMatch(rule, ports))) {
    return state(false, 'a raw rule with action notrack may hide sessions');
  }
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
