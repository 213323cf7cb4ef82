import type { StorageQuery } from '@reattach/core';
import { survivedSilenceMs } from './cadence.ts';
import { type Activity, laterActivity, type SessionTrace, traceSessions } from './host-activity.ts';
import { foldQueues, type QueueHistory } from './queue-history.ts';
import type { TcpReading } from './tcp-reading.ts';
import { type TimeBase, timeBaseOf, timeChange } from './time-base.ts';
import { foldWrites, type WriteHistory } from './write-history.ts';

/** What is remembered of one host. */
export interface HostHistory extends Activity {
  /** The longest silence it has survived, ms. */
  readonly longestSilenceMs: number;
  /** When it was first proved to speak, epoch ms; -Infinity: an earlier process knew it. Absent: never. */
  readonly firstProvedMs?: number;
  readonly sessions: ReadonlyMap<string, SessionTrace>;
  readonly queues: QueueHistory;
  /** The last reading that showed one of its connections, epoch ms. */
  readonly connectedAtMs?: number;
  /** Its connections were seen ending after its last packet: tracking saw packets of them then. */
  readonly seenEndingAtMs?: number;
  /** It has not been seen since the backend booted: hosts need some time to reconnect. */
  readonly awaitedSinceBoot?: true;
}

/** Everything one reading hands on to the next. Immutable. */
export interface BackendState {
  readonly hosts: ReadonlyMap<string, HostHistory>;
  readonly controls: ReadonlyMap<string, SessionTrace>;
  readonly writes: WriteHistory;
  /** Since when every reading has shown that no queue outlives its connection, epoch ms. */
  readonly noDanglingSinceMs?: number;
  readonly timeBase?: TimeBase;
  /** When the backend was first read after its last boot that was noticed, epoch ms; absent: none was. */
  readonly rebootSeenAtMs?: number;
  /** When the last reading was requested and received; absent before the first. */
  readonly last?: { readonly requestedAtMs: number; readonly receivedAtMs: number };
}

export const INITIAL_STATE: BackendState = { hosts: new Map(), controls: new Map(), writes: new Map() };

/** Hosts of no known node that are remembered; the ones that were active last stay. */
const MAX_UNCLAIMED_HOSTS = 1_000;

/** Longest time without a reading after which an absent host may have come and gone at a socket table, ms. */
const SOCKET_GAP_MS = 15_000;

/** The state after one more reading. Pure. A reading that may not show every session teaches nothing about hosts. */
export function foldReading(
  before: BackendState,
  reading: TcpReading,
  query?: Pick<StorageQuery, 'suspects' | 'peers'>,
): BackendState {
  const timeBase = timeBaseOf(reading);
  const change = timeChange(before.timeBase, timeBase);
  const known =
    change.kind === 'stepped'
      ? shifted(before, change.byMs)
      : change.kind === 'none'
        ? before
        : afterBoot(before, reading.receivedAtMs, change.kind === 'booted');
  const { requestedAtMs, receivedAtMs } = reading;
  const writes = foldWrites(known.writes, reading, known.last?.requestedAtMs);
  if (reading.hidden) {
    const controls = new Map<string, SessionTrace>(); // as blind as the sessions
    return { ...known, writes, controls, timeBase };
  }
  const previous = known.last?.requestedAtMs;
  const controls = traceSessions(reading.controls, known.controls, reading, previous);
  const byHost = Map.groupBy(reading.sessions, ({ host }) => host);
  const isFlushed = wasFlushed(known, reading, byHost);
  const hosts = new Map<string, HostHistory>();
  for (const host of new Set([...known.hosts.keys(), ...byHost.keys()])) {
    hosts.set(host, foldHost(known.hosts.get(host), byHost.get(host) ?? [], known, reading, isFlushed));
  }
  prune(hosts, query);
  const noDanglingSinceMs =
    reading.danglingQueues === 0 ? (known.noDanglingSinceMs ?? requestedAtMs) : undefined;
  return {
    ...known,
    hosts,
    controls,
    writes,
    timeBase,
    noDanglingSinceMs,
    last: { requestedAtMs, receivedAtMs },
  };
}

function foldHost(
  before: HostHistory | undefined,
  present: TcpReading['sessions'],
  { last }: BackendState,
  reading: TcpReading,
  isFlushed: boolean,
): HostHistory {
  const { requestedAtMs, receivedAtMs } = reading;
  const sessions = traceSessions(present, before?.sessions ?? new Map(), reading, last?.requestedAtMs);
  let activity: Activity = before ?? { lastMs: Number.NEGATIVE_INFINITY };
  for (const trace of sessions.values()) activity = laterActivity(activity, trace);
  const absentMs = before && activityOfTheMissing(before, sessions, last, reading, isFlushed);
  if (absentMs !== undefined) activity = laterActivity(activity, { lastMs: absentMs });
  const survivedMs =
    before && last
      ? survivedSilenceMs({
          before: before.sessions,
          now: sessions,
          lastBeforeMs: before.lastMs,
          requestedBeforeMs: last.requestedAtMs,
          receivedBeforeMs: last.receivedAtMs,
          receivedNowMs: receivedAtMs,
        })
      : 0;
  const queues = foldQueues(before?.queues ?? new Map(), sessions, reading);
  const isEnding = [...sessions].some(([key, { session }]) => {
    const was = before?.sessions.get(key)?.session.phase;
    return (
      was !== undefined &&
      was !== session.phase &&
      (session.phase === 'closing' || session.phase === 'closed')
    );
  });
  const provedBeforeMs = before?.provedMs ?? Number.NEGATIVE_INFINITY;
  const spoke = (activity.provedMs ?? Number.NEGATIVE_INFINITY) > provedBeforeMs + reading.resolutionMs;
  const seenEndingAtMs = isEnding ? receivedAtMs : spoke ? undefined : before?.seenEndingAtMs;
  const firstProvedMs = before?.firstProvedMs ?? activity.provedMs;
  const isAwaited = sessions.size === 0 && before?.awaitedSinceBoot;
  return {
    ...activity,
    longestSilenceMs: Math.max(before?.longestSilenceMs ?? 0, survivedMs),
    ...(firstProvedMs !== undefined && { firstProvedMs }),
    sessions,
    queues,
    connectedAtMs: sessions.size > 0 ? requestedAtMs : before?.connectedAtMs,
    ...(seenEndingAtMs !== undefined && { seenEndingAtMs }),
    ...(isAwaited && { awaitedSinceBoot: true as const }),
  };
}

/** Until when a host may have spoken of which a session, or every session, is missing; `undefined`: not since it was seen. */
function activityOfTheMissing(
  before: HostHistory,
  sessions: ReadonlyMap<string, SessionTrace>,
  last: BackendState['last'],
  reading: TcpReading,
  isFlushed: boolean,
): number | undefined {
  const { receivedAtMs, requestedAtMs, closingTimeoutMs, source } = reading;
  const gapMs = last ? receivedAtMs - last.requestedAtMs : Number.POSITIVE_INFINITY;
  const missing = [...before.sessions].filter(([key]) => !sessions.has(key));
  if (source === 'sockets') {
    const mayHaveSpoken = missing.length > 0 || (sessions.size === 0 && gapMs > SOCKET_GAP_MS);
    return mayHaveSpoken ? receivedAtMs : undefined;
  }
  // A connection leaves an entry for `closingTimeoutMs` after its last packet, whatever became of it.
  const endedMs = isFlushed ? receivedAtMs : Math.max(before.lastMs, requestedAtMs - closingTimeoutMs);
  if (gapMs > closingTimeoutMs && (missing.length > 0 || sessions.size === 0)) return endedMs;
  // An entry that was closing runs out by itself; any other one that is missing so soon was removed.
  const removed = missing.some(
    ([, { session }]) => session.phase === 'established' || session.phase === 'opening',
  );
  return removed ? receivedAtMs : undefined;
}

/** Every entry of the reading before is gone at once: the table was emptied, and living hosts are learned again. */
function wasFlushed(
  known: BackendState,
  reading: TcpReading,
  byHost: ReadonlyMap<string, TcpReading['sessions']>,
): boolean {
  if (reading.source === 'sockets' || !known.last) return false;
  const keysNow = new Set(
    [...byHost.values(), reading.controls]
      .flat()
      .map(({ host, hostPort, port }) => `${host} ${hostPort} ${port}`),
  );
  const keysBefore = [
    ...known.controls.keys(),
    ...[...known.hosts.values()].flatMap(({ sessions }) => [...sessions.keys()]),
  ];
  return keysBefore.length > 0 && !keysBefore.some((key) => keysNow.has(key));
}

/**
 * Connections did not survive the boot, and nothing they had sent is running any more. What is known of hosts stays. Without
 * proof of the boot their queues stay, too.
 */
function afterBoot(before: BackendState, receivedAtMs: number, isProved: boolean): BackendState {
  const hosts = new Map<string, HostHistory>();
  for (const [address, { lastMs, provedMs, longestSilenceMs, firstProvedMs, queues }] of before.hosts) {
    hosts.set(address, {
      lastMs: Math.max(lastMs, receivedAtMs),
      ...(provedMs !== undefined && { provedMs }),
      longestSilenceMs,
      ...(firstProvedMs !== undefined && { firstProvedMs }),
      sessions: new Map(),
      queues: isProved ? new Map() : queues,
      awaitedSinceBoot: true,
    });
  }
  const rebootSeenAtMs = isProved ? receivedAtMs : before.rebootSeenAtMs;
  return {
    hosts,
    controls: new Map(),
    writes: isProved ? new Map() : before.writes,
    ...(rebootSeenAtMs !== undefined && { rebootSeenAtMs }),
  };
}

/** The same state by a clock that was stepped by `byMs`. */
function shifted(state: BackendState, byMs: number): BackendState {
  const activity = <T extends Activity>(a: T): T => ({
    ...a,
    lastMs: a.lastMs + byMs,
    ...(a.provedMs !== undefined && { provedMs: a.provedMs + byMs }),
  });
  const sessions = (map: ReadonlyMap<string, SessionTrace>) =>
    new Map([...map].map(([key, trace]) => [key, activity(trace)]));
  const at = (ms: number | undefined) => (ms === undefined ? undefined : ms + byMs);
  const hosts = [...state.hosts].map(([address, host]): [string, HostHistory] => {
    const seenEndingAtMs = at(host.seenEndingAtMs);
    const firstProvedMs = at(host.firstProvedMs);
    const queues = new Map(
      [...host.queues].map(([key, queue]) => {
        const { seenAtMs, openSeenAtMs, closedAtMs, vanishedAtMs } = queue;
        const times = {
          openSeenAtMs: at(openSeenAtMs),
          closedAtMs: at(closedAtMs),
          vanishedAtMs: at(vanishedAtMs),
        };
        return [key, { ...queue, seenAtMs: seenAtMs + byMs, ...times }] as const;
      }),
    );
    return [
      address,
      {
        ...activity(host),
        sessions: sessions(host.sessions),
        queues,
        connectedAtMs: at(host.connectedAtMs),
        ...(seenEndingAtMs !== undefined && { seenEndingAtMs }),
        ...(firstProvedMs !== undefined && { firstProvedMs }),
      },
    ];
  });
  const writes = [...state.writes].map(([volume, run]) => {
    const movedAfterMs = at(run.movedAfterMs);
    return [
      volume,
      { ...run, stillSinceMs: run.stillSinceMs + byMs, ...(movedAfterMs !== undefined && { movedAfterMs }) },
    ] as const;
  });
  const rebootSeenAtMs = at(state.rebootSeenAtMs);
  const last = state.last && {
    requestedAtMs: state.last.requestedAtMs + byMs,
    receivedAtMs: state.last.receivedAtMs + byMs,
  };
  return {
    ...state,
    hosts: new Map(hosts),
    controls: sessions(state.controls),
    writes: new Map(writes),
    noDanglingSinceMs: at(state.noDanglingSinceMs),
    ...(rebootSeenAtMs !== undefined && { rebootSeenAtMs }),
    ...(last && { last }),
  };
}

/** Every host that connects is remembered, up to a limit, because unknown hosts must not fill the memory. */
function prune(
  hosts: Map<string, HostHistory>,
  query: Pick<StorageQuery, 'suspects' | 'peers'> | undefined,
): void {
  if (hosts.size <= MAX_UNCLAIMED_HOSTS) return;
  const claimed = new Set(
    [...(query?.suspects ?? []), ...(query?.peers ?? [])].flatMap(({ addresses }) =>
      addresses.map(({ value }) => value),
    ),
  );
  const strangers = [...hosts].filter(
    ([address, { sessions }]) => sessions.size === 0 && !claimed.has(address),
  );
  const surplus = strangers.toSorted(([, a], [, b]) => b.lastMs - a.lastMs).slice(MAX_UNCLAIMED_HOSTS);
  for (const [address] of surplus) hosts.delete(address);
}
