import { ipAddresses, type StorageQuery, type StorageReading } from '@reattach/core';
import {
  type ConntrackRow,
  HOSTS,
  type RecordingName,
  readRecording,
  type Sample,
  TARGET,
} from '@reattach/recordings';
import { type BackendState, foldReading, INITIAL_STATE } from '../../src/backend-state.ts';
import { type FenceEntry, foldFences, NO_FENCES } from '../../src/fence-history.ts';
import { interpretReading } from '../../src/interpret.ts';
import type { SessionPhase, TcpReading, TcpSession } from '../../src/tcp-reading.ts';

export const WINDOW_MS = 15_000;
const EPOCH_MS = 1_800_000_000_000;
const ESTABLISHED_MS = 86_400_000;
const SHORTENED_MS = 300_000;

const PHASES: Readonly<Record<ConntrackRow['state'], SessionPhase>> = {
  SYN_SENT: 'opening',
  SYN_RECV: 'opening',
  ESTABLISHED: 'established',
  FIN_WAIT: 'closing',
  CLOSE_WAIT: 'closing',
  LAST_ACK: 'closing',
  TIME_WAIT: 'closed',
  CLOSE: 'closed',
};

export type HostName = keyof typeof HOSTS;

/** How a recording is read: when, and what happens to fences. */
export interface ReplayOptions {
  readonly pollMs: number;
  /** Time of the first reading, ms since the start of the run. */
  readonly fromMs?: number;
  readonly untilMs?: number;
  /** The poll from this moment on. */
  readonly fast?: { readonly fromMs: number; readonly pollMs: number };
  /** The host that is fenced from that moment on. */
  readonly fence?: { readonly host: HostName; readonly fromMs: number; readonly untilMs?: number };
  /** Hosts that are nodes; default: all. */
  readonly nodes?: readonly HostName[];
}

/** One reading of a replay. */
export interface Step {
  readonly atMs: number;
  readonly sample: Sample;
  readonly reading: StorageReading;
  readonly state: BackendState;
}

/** Reads a recording as a controller would have, and yields what each reading says. */
export function replay(name: RecordingName, options: ReplayOptions): readonly Step[] {
  const { pollMs, fromMs = 0, untilMs = Number.POSITIVE_INFINITY, fast, fence } = options;
  const nodes = options.nodes ?? (Object.keys(HOSTS) as HostName[]);
  const query = queryAbout(nodes);
  const steps: Step[] = [];
  let state = INITIAL_STATE;
  let fences = NO_FENCES;
  let next = fromMs;
  for (const sample of readRecording(name).samples) {
    if (sample.atMs > untilMs) break;
    const isFast = fast && sample.atMs >= fast.fromMs;
    if (sample.atMs < next && !(isFast && next - sample.atMs > fast.pollMs)) continue;
    next = sample.atMs + (isFast ? fast.pollMs : pollMs);
    const reading = toReading(sample);
    state = foldReading(state, reading, query);
    const isFenced = fence && sample.atMs >= fence.fromMs && sample.atMs < (fence.untilMs ?? Infinity);
    const entries = isFenced ? [fenceOf(fence.host, fence.fromMs)] : [];
    const folded = foldFences(fences, entries, { isEnforced: true, receivedAtMs: reading.receivedAtMs });
    fences = isFenced ? folded.history : NO_FENCES;
    const said = interpretReading({
      query,
      reading,
      state,
      fences: folded.fences,
      enforcement: { kind: 'enforced' },
      volumes: new Map(),
      options: { activityWindowMs: WINDOW_MS },
    });
    steps.push({ atMs: sample.atMs, sample, reading: said, state });
  }
  return steps;
}

function queryAbout(nodes: readonly HostName[]): StorageQuery {
  const suspects = nodes.map((name) => ({ name, addresses: ipAddresses([HOSTS[name]]), volumes: [] }));
  return { owner: 'test.csi', suspects, peers: [] };
}

function fenceOf(host: HostName, fromMs: number): FenceEntry {
  const [address] = ipAddresses([HOSTS[host]]);
  if (!address) throw new TypeError('no address');
  return {
    record: {
      id: '00c0ffee',
      nodeName: host,
      owner: 'test.csi',
      addresses: [address],
      fencedAtMs: EPOCH_MS + fromMs,
    },
    address,
    standing: 'in-force',
  };
}

/** A sample as RouterOS would show it: whole seconds, time-outs as recorded. */
export function toReading(sample: Sample): TcpReading {
  const atMs = EPOCH_MS + sample.targetBoot * 10_000_000 + sample.uptimeMs;
  return {
    source: 'tracking',
    requestedAtMs: atMs - 2,
    receivedAtMs: atMs,
    uptimeMs: sample.uptimeMs,
    uptimeRequestedAtMs: atMs - 4,
    uptimeReceivedAtMs: atMs - 2,
    resolutionMs: 1_000,
    closingTimeoutMs: 10_000,
    sessions: sample.conntrack.map(toSession),
    controls: [],
    counters: new Map(),
    inFlightIsComplete: false,
  };
}

function toSession(row: ConntrackRow): TcpSession {
  const remainingMs = row.timeoutSeconds * 1_000;
  const isDated = row.state === 'ESTABLISHED' && remainingMs > SHORTENED_MS;
  return {
    host: row.hostAddress,
    hostPort: row.hostPort,
    port: TARGET.port,
    phase: PHASES[row.state],
    ...(isDated && { idleMs: ESTABLISHED_MS - remainingMs }),
    hostPackets: row.hostPackets,
  };
}
