import { isIPv4 } from 'node:net';
import type { NodeEvidence, UnknownReason } from '@reattach/core';
import { type ActivityMemory, liveAddresses } from './activity-memory.ts';
import { normaliseAddress } from './routeros/ip-address.ts';
import { sessionAge } from './session-age.ts';
import type { Snapshot } from './snapshot.ts';

/** A node by its IP addresses. */
export interface KnownHost {
  readonly name: string;
  readonly addresses: readonly string[];
}

/** A node whose addresses are cut off. */
export interface FencedHost {
  readonly nodeName: string;
  readonly addresses: readonly string[];
  readonly seenSinceMs: number;
}

/**
 * What one reading says about each suspect. Pure.
 *
 * `live`: one of its addresses spoke within `activityWindowMs`, or nobody can say that it was silent for that long.
 * `silent`: tracking is really on and was asked about every export port, another host surely is live in the same reading
 * (so the backend does see packets), the suspect was seen before, and nothing came from it for the window.
 * Everything else is `unknown`.
 * @param memory what is remembered after this reading
 * @param fences those in force. Nobody is fenced who was not seen before, so a fence of all its addresses vouches for that
 * when a reboot of the backend has emptied connection tracking (docs/adr/0011-a-fence-vouches-for-its-node.md).
 * @see docs/routeros.md, the evidence
 */
export function classifyEvidence(
  query: { readonly suspects: readonly KnownHost[]; readonly peers: readonly KnownHost[] },
  snapshot: Snapshot,
  memory: ActivityMemory,
  activityWindowMs: number,
  fences: readonly FencedHost[],
): ReadonlyMap<string, NodeEvidence> {
  const live = liveAddresses(memory, snapshot, activityWindowMs);
  const known = new Set(
    [...query.suspects, ...query.peers].flatMap(({ addresses }) => addresses.map(normal)),
  );
  const stray = maybeLive(snapshot, memory, activityWindowMs).find((address) => !known.has(address));
  const blind = blindReason(snapshot);
  return new Map(
    query.suspects.map((node) => [
      node.name,
      blind
        ? unknown(snapshot, blind.reason, blind.detail)
        : classify(node, { snapshot, memory, activityWindowMs, fences, live, stray }),
    ]),
  );
}

/** Why nobody can be judged by this reading, `undefined` when somebody can. */
function blindReason({
  tracking,
  exports,
  sessionPorts,
}: Snapshot): { readonly reason: UnknownReason; readonly detail: string } | undefined {
  if (!tracking.on) return { reason: 'not-observable', detail: tracking.detail };
  const missed = exports.find(({ port }) => !sessionPorts.includes(port));
  if (!missed) return undefined;
  return { reason: 'output-not-understood', detail: `sessions to export port ${missed.port} were not read` };
}

interface Reading {
  readonly snapshot: Snapshot;
  readonly memory: ActivityMemory;
  readonly activityWindowMs: number;
  readonly fences: readonly FencedHost[];
  readonly live: ReadonlySet<string>;
  /** An address that may be live and is no known node's. */
  readonly stray: string | undefined;
}

function classify(node: KnownHost, reading: Reading): NodeEvidence {
  const { snapshot, memory, activityWindowMs, live, stray } = reading;
  const { sessionsReadAtMs: readAtMs, sessionsAskedAtMs: observedAtMs } = snapshot;
  if (node.addresses.length === 0) return unknown(snapshot, 'no-address', 'no storage address is known');
  const own = new Set(node.addresses.map(normal));
  const unseen = [...own].find((address) => !isIPv4(address));
  if (unseen !== undefined) {
    return unknown(snapshot, 'no-address', `sessions of ${unseen} cannot be seen: it is no IPv4 address`);
  }
  const odd = impossibleAge(snapshot, own);
  if (odd !== undefined) return unknown(snapshot, 'output-not-understood', odd);

  const seenActiveMs = Math.max(
    ...[...own].map((address) => memory.addresses.get(address)?.lastActivityMs ?? 0),
  );
  const lastActivityMs = seenActiveMs || cutOffSinceMs(node.name, own, reading.fences);
  if (lastActivityMs === undefined)
    return unknown(snapshot, 'never-seen-live', `no session of ${list(own)} was ever seen`);
  const quietMs = readAtMs - lastActivityMs;
  const isLive = [...own].some((address) => live.has(address));
  if (isLive || quietMs < activityWindowMs) {
    const how = isLive ? 'its session was active' : 'its session may have been active';
    return {
      kind: 'live',
      observedAtMs,
      lastActivityMs,
      detail: `${how} ${seconds(quietMs)} before the reading`,
    };
  }
  const [control] = live; // another host's: were it its own, this one would be live
  if (control === undefined) {
    return unknown(snapshot, 'no-live-peer', 'no other host is live in the same reading');
  }
  if (stray !== undefined) {
    const detail = `${stray} talks to the backend and is no known node's; it may be this one`;
    return unknown(snapshot, 'unattributed-session', detail);
  }
  return {
    kind: 'silent',
    observedAtMs,
    silentSinceMs: lastActivityMs + activityWindowMs,
    lastActivityMs,
    detail: `nothing came from ${list(own)} for ${seconds(quietMs)} while ${control} was live`,
  };
}

/** Since when the backend has shown all addresses of the node fenced, in this process and its own uptime; nothing has come from them since. */
function cutOffSinceMs(
  nodeName: string,
  own: ReadonlySet<string>,
  fences: readonly FencedHost[],
): number | undefined {
  const itsOwn = fences.filter((fence) => fence.nodeName === nodeName);
  const fenced = new Set(itsOwn.flatMap(({ addresses }) => addresses.map(normal)));
  if (![...own].every((address) => fenced.has(address))) return undefined;
  return Math.max(...itsOwn.map(({ seenSinceMs }) => seenSinceMs));
}

/** Addresses with an entry in this reading of which nobody can say that they were silent for the window. */
function maybeLive(
  { sessions, sessionsReadAtMs }: Snapshot,
  { addresses }: ActivityMemory,
  windowMs: number,
): string[] {
  return sessions
    .map(({ address }) => address)
    .filter((address) => sessionsReadAtMs - (addresses.get(address)?.lastActivityMs ?? Infinity) < windowMs);
}

function impossibleAge(
  { sessions, tracking, uptimeMs }: Snapshot,
  own: ReadonlySet<string>,
): string | undefined {
  for (const session of sessions) {
    if (!own.has(session.address)) continue;
    const age = sessionAge(session, tracking, uptimeMs);
    if (age.kind === 'impossible') return `${session.address}: ${age.detail}`;
  }
  return undefined;
}

/** Text that is no address matches no session. */
function normal(address: string): string {
  return normaliseAddress(address) ?? address;
}

function unknown({ sessionsAskedAtMs }: Snapshot, reason: UnknownReason, detail: string): NodeEvidence {
  return { kind: 'unknown', observedAtMs: sessionsAskedAtMs, reason, detail };
}

function list(addresses: ReadonlySet<string>): string {
  return [...addresses].join(', ');
}

function seconds(ms: number): string {
  return `${(ms / 1000).toFixed(1)} s`;
}
