import {
  type Enforcement,
  type Fence,
  type FenceState,
  isFenceOf,
  type StorageAddress,
  type StorageQuery,
  type StorageSuspect,
  type UnattributedSession,
} from '@reattach/core';
import { ipOf, visibleAddresses } from './attribution.ts';
import type { BackendState, HostHistory } from './backend-state.ts';
import { type CutOff, type QueueProof, queueProof } from './queue-history.ts';
import { seconds } from './seconds.ts';
import type { TcpReading } from './tcp-reading.ts';

/** What the fence of one suspect is judged by. */
export interface FenceInput {
  readonly suspect: StorageSuspect;
  readonly query: StorageQuery;
  readonly reading: TcpReading;
  /** After this reading was folded in. */
  readonly state: BackendState;
  readonly fences: readonly Fence[];
  readonly enforcement: Enforcement;
  readonly unattributed: readonly UnattributedSession[];
  /** The backend's names of the volumes that only this node may write to. */
  readonly ownVolumes: readonly string[];
  readonly isVisible: (address: string) => boolean;
  readonly options: FenceOptions;
}

/** Times of the judgement, ms. */
export interface FenceOptions {
  /** How long the write counters of its single-writer volumes must have stood still at the end. */
  readonly writesStillMs: number;
  /** Longest time for which a fenced node's connections may stay open before a person is asked. */
  readonly maxQuiesceMs: number;
  /** When a quiescing fence is worth another reading. */
  readonly rereadMs: number;
}

export const DEFAULT_FENCE_OPTIONS: FenceOptions = {
  writesStillMs: 2_000,
  maxQuiesceMs: 300_000,
  rereadMs: 2_000,
};

/** The backend itself shows that it may still be working for the node. */
const RESTART = 'make sure that the node is powered off, then restart the backend or release by hand';

/**
 * How far a fence has come. Effective means: it is enforced, all addresses of the node are listed, an earlier reading had shown
 * that already, nothing of the node has passed since, and every write accepted earlier has ended: each connection was seen
 * closed, or the backend's sockets show none of the node left, or the backend booted since, or nothing is in flight where
 * that counts everything. A connection that merely vanished proves nothing.
 */
export function judgeFence(input: FenceInput): FenceState {
  const { suspect, query, reading, state, enforcement, ownVolumes, options } = input;
  if (enforcement.kind === 'not-enforced') {
    const { detail, fix } = enforcement;
    return { kind: 'ineffective', reason: 'not-enforced', why: detail, ...(fix !== undefined && { fix }) };
  }
  const own = visibleAddresses(suspect, input.isVisible);
  if (own.length === 0)
    return { kind: 'unknown', why: 'No address is known by which the backend could cut the node off' };
  const fences = input.fences.filter((fence) => isFenceOf(fence, suspect, query));
  const [fence] = fences;
  const fenced = new Set(fences.flatMap(({ inForce }) => inForce.map(ipOf)));
  const open = own.filter((address) => !fenced.has(address));
  if (!fence || open.length > 0) {
    const addresses: readonly StorageAddress[] = open.map((value) => ({ kind: 'ip', value }));
    return { kind: 'open', addresses, ...(fence && { partial: fence }) };
  }
  const { requestedAtMs, receivedAtMs, resolutionMs } = reading;
  const sinceMs = Math.max(...fences.map(({ seenSinceMs }) => seenSinceMs));
  const quiescing = (why: string, untilMs = receivedAtMs + options.rereadMs): FenceState => ({
    kind: 'quiescing',
    fence,
    untilMs,
    why,
  });
  const ineffective = (
    reason: Extract<FenceState, { kind: 'ineffective' }>['reason'],
    why: string,
    fix?: string,
  ): Extract<FenceState, { kind: 'ineffective' }> => ({ kind: 'ineffective', reason, fence, why, fix });
  if (requestedAtMs <= sinceMs) return quiescing('The fence was first read back in this reading');
  if (reading.hidden) {
    const { detail, fix } = reading.hidden;
    return ineffective('quiesce-unproved', `The backend may not see every session: ${detail}`, fix);
  }
  const hosts = own.flatMap((address) => state.hosts.get(address) ?? []);
  const provedMs = Math.max(
    Number.NEGATIVE_INFINITY,
    ...hosts.map((host) => host.provedMs ?? Number.NEGATIVE_INFINITY),
  );
  if (provedMs > sinceMs + resolutionMs) {
    return ineffective(
      'still-writing',
      `Packets of ${own.join(', ')} pass the complete fence: the last one ${seconds(receivedAtMs - provedMs)} ago`,
    );
  }
  const stranger = input.unattributed[0];
  if (stranger) {
    return ineffective(
      'unattributed-session',
      `${stranger.address.value} talks to the backend and belongs to no known node; it may be a second path of this one`,
    );
  }
  const fencedAtMs = Math.max(...fences.map((each) => each.fencedAtMs));
  const ended = writesEnded(input, hosts, { seenSinceMs: sinceMs, fencedAtMs });
  if (ended.kind === 'running') {
    if (receivedAtMs - sinceMs < options.maxQuiesceMs) return quiescing(ended.why);
    return ineffective(
      'quiesce-unproved',
      `${ended.why}, ${seconds(receivedAtMs - sinceMs)} after the fence`,
      RESTART,
    );
  }
  if (ended.kind === 'unproved') {
    const moving = ownVolumes.find((volume) => !isStill(input, volume));
    if (moving !== undefined) return quiescing(`Volume ${moving} is being written to`);
    const fix = `make sure that the node is powered off and that the disks of the backend are idle, then: reattach confirm-off ${suspect.name}`;
    return { ...ineffective('quiesce-unproved', ended.why, fix), acceptsConfirmation: true };
  }
  return afterQuiesce(input, fence, ended, quiescing, ineffective);
}

type Ended =
  | { readonly kind: 'ended'; readonly atMs: number; readonly proof: string; readonly needsCounters: boolean }
  | { readonly kind: 'running'; readonly why: string }
  | { readonly kind: 'unproved'; readonly why: string };

function writesEnded(input: FenceInput, hosts: readonly HostHistory[], cutOff: CutOff): Ended {
  const { reading, state, ownVolumes } = input;
  const { receivedAtMs } = reading;
  const sinceMs = cutOff.seenSinceMs;
  if (reading.source === 'sockets') return socketsEnded(input, hosts, sinceMs);
  const proof = queueProof(
    hosts.map(({ queues }) => queues),
    cutOff,
  );
  if (proof.kind === 'closed') {
    const why = `sessions closed ${seconds(receivedAtMs - proof.atMs)} ago`;
    return { kind: 'ended', atMs: proof.atMs, proof: why, needsCounters: false };
  }
  if (proof.kind === 'open')
    return { kind: 'running', why: `${proof.count} sessions of the node are not closed yet` };
  const { rebootSeenAtMs } = state;
  if (proof.kind === 'none' && rebootSeenAtMs !== undefined) {
    const why = 'the backend has booted since the node was connected';
    return { kind: 'ended', atMs: Math.max(rebootSeenAtMs, sinceMs), proof: why, needsCounters: false };
  }
  if (reading.inFlightIsComplete && ownVolumes.length > 0) {
    const running = ownVolumes.filter((volume) => (reading.counters.get(volume)?.inFlight ?? '?') !== '0');
    if (running.length > 0) return { kind: 'running', why: `Writes to ${running.join(', ')} are in flight` };
    return { kind: 'ended', atMs: sinceMs, proof: 'nothing is in flight', needsCounters: true };
  }
  return {
    kind: 'unproved',
    why: `${unproved(proof)}, so nothing shows that its accepted writes have ended`,
  };
}

function unproved(proof: Extract<QueueProof, { kind: 'none' | 'vanished' | 'reset' | 'unwatched' }>): string {
  switch (proof.kind) {
    case 'none':
      return 'No session of the node was seen by this process';
    case 'vanished':
      return `${proof.count} sessions of the node disappeared without being seen closed`;
    case 'unwatched':
      return 'The sessions of the node closed before the fence, and the node may have connected again while this controller was away';
    case 'reset':
    default:
      return `${proof.count} sessions of the node were closed before the fence, perhaps by a RST of the node while writes were running`;
  }
}

/** Two readings must show nothing of the host, because a queue takes a moment to outlive its connection, ms. */
const TWO_READINGS_MS = 1_000;

/**
 * A socket leaves the table when the commands of its queue have ended, except after a RST of the host. Then the queue outlives
 * it, which some kernels show. Behind a fence no RST arrives. @see deploy/linux-target/PROTOCOL.md
 */
function socketsEnded({ reading, state }: FenceInput, hosts: readonly HostHistory[], sinceMs: number): Ended {
  const { requestedAtMs, danglingQueues } = reading;
  const left = hosts.reduce((sum, { sessions }) => sum + sessions.size, 0);
  if (left > 0) return { kind: 'running', why: `${left} sockets of the node are left at the backend` };
  const connectedAtMs = Math.max(0, ...hosts.map((host) => host.connectedAtMs ?? 0));
  const ended = {
    kind: 'ended',
    atMs: requestedAtMs,
    proof: 'the backend has no socket of the node left',
    needsCounters: false,
  } as const;
  if (connectedAtMs > sinceMs) return ended;
  if (danglingQueues === undefined) {
    const why =
      'No socket of the node was seen ending behind the fence, and this backend does not show queues that outlive their socket';
    return { kind: 'unproved', why };
  }
  if (danglingQueues > 0)
    return { kind: 'running', why: `${danglingQueues} queues without a connection still run at the backend` };
  const clearSinceMs = Math.max(connectedAtMs, sinceMs, state.noDanglingSinceMs ?? requestedAtMs);
  if (requestedAtMs - clearSinceMs >= TWO_READINGS_MS) return ended;
  return { kind: 'running', why: 'A second reading must show that nothing of the node is left' };
}

/** The write counters of the volume have stood still for long enough, or there are none. */
function isStill({ reading, state, options }: FenceInput, volume: string): boolean {
  const stillSinceMs = state.writes.get(volume)?.stillSinceMs ?? Number.NEGATIVE_INFINITY;
  return reading.receivedAtMs - stillSinceMs >= options.writesStillMs;
}

/** Counters of a volume that only this node may write to must stand still once its writes have ended. */
function afterQuiesce(
  input: FenceInput,
  fence: Fence,
  ended: Extract<Ended, { kind: 'ended' }>,
  quiescing: (why: string, untilMs?: number) => FenceState,
  ineffective: (reason: 'still-writing' | 'quiesce-unproved', why: string) => FenceState,
): FenceState {
  const { reading, state, ownVolumes, options } = input;
  const { receivedAtMs } = reading;
  let stillMs = Number.POSITIVE_INFINITY;
  for (const volume of ownVolumes) {
    const run = state.writes.get(volume);
    if (!run) {
      if (ended.needsCounters)
        return ineffective('quiesce-unproved', `The backend shows no write counters of ${volume}`);
      continue;
    }
    if (
      run.movedAfterMs !== undefined &&
      run.movedAfterMs > ended.atMs &&
      receivedAtMs - run.stillSinceMs < options.maxQuiesceMs
    )
      return ineffective(
        'still-writing',
        `Volume ${volume} was written to after the last write of the node had ended`,
      );
    if (!isStill(input, volume))
      return quiescing(
        `Write counters of ${volume} have not stood still for ${seconds(options.writesStillMs)}`,
        run.stillSinceMs + options.writesStillMs,
      );
    stillMs = Math.min(stillMs, receivedAtMs - run.stillSinceMs);
  }
  const counters = Number.isFinite(stillMs) ? `, write counters unchanged for ${seconds(stillMs)}` : '';
  return { kind: 'effective', fence, why: `fence effective: ${ended.proof}${counters}` };
}
