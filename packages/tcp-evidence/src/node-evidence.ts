import {
  addressKey,
  type Fence,
  isFenceOf,
  type NodeEvidence,
  type StorageQuery,
  type StorageSuspect,
  type UnattributedSession,
  type UnknownReason,
} from '@reattach/core';
import { ipOf, isConnected, visibleAddresses } from './attribution.ts';
import type { BackendState, HostHistory } from './backend-state.ts';
import { sightOf } from './blind-reason.ts';
import { requiredSilenceMs } from './cadence.ts';
import { seconds } from './seconds.ts';
import type { TcpReading } from './tcp-reading.ts';

/** What evidence about one suspect rests on. */
export interface EvidenceInput {
  readonly suspect: StorageSuspect;
  readonly query: StorageQuery;
  readonly reading: TcpReading;
  /** After this reading was folded in. */
  readonly state: BackendState;
  readonly unattributed: readonly UnattributedSession[];
  /** Enforced fences. */
  readonly fences: readonly Fence[];
  /** The backend's names of the volumes that only this node may write to. */
  readonly ownVolumes: readonly string[];
  readonly activityWindowMs: number;
  readonly isVisible: (address: string) => boolean;
}

/** Hosts need so long to come back after the backend has booted, ms (measured: up to 20 s). */
const RECONNECT_MS = 30_000;

/**
 * What one reading says about one suspect. `live`: one of its addresses spoke within the window, or nothing proves that it did
 * not. `silent`: it was seen before, has been silent for longer than any silence it ever survived, the reading would have
 * shown it, every live session belongs to a node, and no host writes to its volumes. Everything else is `unknown`.
 */
export function nodeEvidence(input: EvidenceInput): NodeEvidence {
  const { suspect, reading, state, activityWindowMs } = input;
  const { requestedAtMs: observedAtMs, receivedAtMs } = reading;
  const unknown = (reason: UnknownReason, detail: string): NodeEvidence => ({
    kind: 'unknown',
    observedAtMs,
    reason,
    detail,
  });
  if (reading.hidden) {
    const { detail, fix } = reading.hidden;
    return unknown('not-observable', fix === undefined ? detail : `${detail}; fix: ${fix}`);
  }
  const own = new Set(visibleAddresses(suspect, input.isVisible));
  if (own.size === 0) return unknown('no-address', noAddress(suspect));
  const names = [...own].join(', ');
  const hosts = [...own].flatMap((address) => state.hosts.get(address) ?? []);
  const cutOffMs = cutOffSinceMs(input, own);
  if (hosts.length === 0 && cutOffMs === undefined)
    return unknown('never-seen-live', `no session of ${names} was ever seen`);
  const lastActivityMs = Math.max(
    ...hosts.map(({ lastMs }) => lastMs),
    ...(hosts.length === 0 ? [cutOffMs ?? 0] : []),
  );
  const quietMs = receivedAtMs - lastActivityMs;
  if (quietMs < activityWindowMs) {
    const how = hosts.some(isConnected) ? 'its session was active' : 'its session may have been active';
    return {
      kind: 'live',
      observedAtMs,
      lastActivityMs,
      detail: `${how} ${seconds(quietMs)} before the reading`,
    };
  }
  const longestMs = Math.max(0, ...hosts.map(({ longestSilenceMs }) => longestSilenceMs));
  // What is cut off cannot speak again, however rarely it spoke before.
  const cadences =
    cutOffMs === undefined ? hosts.map((host) => requiredSilenceMs(host, activityWindowMs)) : [];
  const cadenceMs = Math.max(activityWindowMs, ...cadences);
  const isAwaited = cutOffMs === undefined && hosts.some(({ awaitedSinceBoot }) => awaitedSinceBoot);
  const requiredMs = Math.max(cadenceMs, isAwaited ? RECONNECT_MS : 0);
  if (quietMs < requiredMs) {
    const why = isAwaited
      ? `the backend booted, and hosts need up to ${seconds(RECONNECT_MS)} to come back`
      : longestMs > activityWindowMs / 2
        ? `it has survived a silence of ${seconds(longestMs)} before`
        : 'it was heard too briefly to know how often it speaks';
    return unknown(
      'long-cadence',
      `${names} has been silent for ${seconds(quietMs)}, but ${why}: decided after ${seconds(requiredMs)}`,
    );
  }
  const stranger = input.unattributed[0];
  if (stranger) {
    const detail = `${stranger.address.value} talks to the backend and belongs to no known node; it may be this one`;
    return unknown('unattributed-session', detail);
  }
  const written = writtenSilently(input, lastActivityMs);
  if (written !== undefined) return unknown('still-written', written);
  const sight = sightOf(
    own,
    hosts.length > 0 ? hosts : [cutOffHost(lastActivityMs)],
    state,
    reading,
    activityWindowMs,
  );
  if (sight.kind === 'blind') return unknown('no-live-peer', sight.detail);
  return {
    kind: 'silent',
    observedAtMs,
    silentSinceMs: lastActivityMs,
    lastActivityMs,
    detail: `nothing came from ${names} for ${seconds(quietMs)}; ${sight.proof}`,
  };
}

/** A host writes to a volume that only this node may write to, although nothing came from it since. */
function writtenSilently(
  { state, reading, ownVolumes, activityWindowMs }: EvidenceInput,
  lastActivityMs: number,
): string | undefined {
  for (const volume of ownVolumes) {
    const { movedAfterMs, stillSinceMs = 0 } = state.writes.get(volume) ?? {};
    const isRecent = reading.receivedAtMs - stillSinceMs < activityWindowMs;
    if (movedAfterMs !== undefined && movedAfterMs > lastActivityMs && isRecent)
      return `volume ${volume} was written to after the last packet of the node`;
  }
  return undefined;
}

/**
 * Since when all addresses of the node have been fenced in force. A node is fenced only after it was seen, so the fence shows
 * that the node had been seen at these addresses (docs/adr/0011-a-fence-proves-that-its-node-was-seen.md).
 */
function cutOffSinceMs(
  { suspect, fences, query }: EvidenceInput,
  own: ReadonlySet<string>,
): number | undefined {
  const itsOwn = fences.filter((fence) => isFenceOf(fence, suspect, query));
  const fenced = new Set(
    itsOwn.flatMap(({ inForce }) => inForce.map((address) => ipOf(address) ?? addressKey(address))),
  );
  if (itsOwn.length === 0 || ![...own].every((address) => fenced.has(address))) return undefined;
  return Math.max(...itsOwn.map(({ seenSinceMs }) => seenSinceMs));
}

function cutOffHost(lastMs: number): HostHistory {
  return { lastMs, longestSilenceMs: 0, sessions: new Map(), queues: new Map() };
}

function noAddress({ addresses }: StorageSuspect): string {
  return addresses.length === 0
    ? 'no storage address is known'
    : `sessions of ${addresses.map(({ value }) => value).join(', ')} cannot be seen by this backend`;
}
