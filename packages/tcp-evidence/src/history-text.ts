import { MAX_HISTORY_BYTES } from '@reattach/core';
import type { BackendState, HostHistory } from './backend-state.ts';
import {
  EARLIER_PROCESS,
  EARLIER_UNPROVED,
  type QueueHistory,
  type QueueProof,
  queueProof,
} from './queue-history.ts';

/** First line of the text: another version is another form. */
const VERSION = 'tcp-evidence/2';

const LINE = /^(\S+) (\d{1,9}) (-|o|v|c (\d{1,15})(?: (\d{1,15}))?)$/;

/** How long the text follows a host whose queues have closed, ms: that long a new process can go on without a gap. */
const FOLLOW_MS = 120_000;

/**
 * What must outlive the process, as text of at most `MAX_HISTORY_BYTES`: hosts that were seen live, the longest silence each
 * has survived, and what its queues proved. It changes only when something was learned, and with every reading for two minutes
 * after the queues of a host have closed.
 */
export function formatHistory({ hosts, last, timeBase }: BackendState): string {
  const newest = [...hosts].toSorted(([, a], [, b]) => b.lastMs - a.lastMs);
  const lines: string[] = [];
  let bytes = VERSION.length;
  for (const [address, host] of newest) {
    const proof = queueProof([host.queues]);
    const isFollowed = 'atMs' in proof && last && last.requestedAtMs - proof.atMs < FOLLOW_MS;
    const words = proofWords(proof, isFollowed ? timeBase?.uptimeMs : undefined);
    const line = `${address} ${Math.ceil(host.longestSilenceMs / 1_000)} ${words}`;
    bytes += line.length + 1;
    if (bytes > MAX_HISTORY_BYTES) break;
    lines.push(line);
  }
  return [VERSION, ...lines.toSorted()].join('\n');
}

/** `-` none known, `o` open, `v` no proof, `c` all closed, since when, and the uptime of the backend at the last reading. */
function proofWords(proof: QueueProof, uptimeMs: number | undefined): string {
  switch (proof.kind) {
    case 'none':
      return '-';
    case 'open':
      return 'o';
    case 'closed':
      return `c ${Math.round(proof.atMs)}${uptimeMs === undefined ? '' : ` ${Math.round(uptimeMs)}`}`;
    case 'unwatched':
      return `c ${Math.round(proof.atMs)}`;
    case 'vanished':
    case 'reset':
    default:
      return 'v';
  }
}

/**
 * A state that knows the hosts of the text. When they last spoke is not in it: each counts as active until the first reading.
 * A text of another form teaches nothing.
 */
export function parseHistory(text: string): BackendState['hosts'] {
  const [version, ...lines] = text.split('\n');
  const hosts = new Map<string, HostHistory>();
  if (version !== VERSION) return hosts;
  for (const line of lines) {
    const [, address, silenceSeconds, proof, closedAtMs, uptimeMs] = LINE.exec(line) ?? [];
    if (address === undefined || proof === undefined) continue;
    const queues = restoredQueues(
      proof,
      Number(closedAtMs),
      uptimeMs === undefined ? undefined : Number(uptimeMs),
    );
    hosts.set(address, {
      lastMs: Number.NEGATIVE_INFINITY,
      longestSilenceMs: Number(silenceSeconds) * 1_000,
      firstProvedMs: Number.NEGATIVE_INFINITY,
      sessions: new Map(),
      queues,
    });
  }
  return hosts;
}

/** Queues that were open when the text was written were not seen closed: unless they are still there, they vanished. */
function restoredQueues(proof: string, closedAtMs: number, uptimeMs: number | undefined): QueueHistory {
  if (proof === '-') return new Map();
  if (proof === 'o') return new Map([[EARLIER_PROCESS, { phase: 'established', seenAtMs: 0 }]]);
  if (proof === 'v') return new Map([[EARLIER_UNPROVED, { phase: 'established', seenAtMs: 0 }]]);
  const closed = { phase: 'closed', seenAtMs: closedAtMs, closedAtMs, isClosedByTarget: true } as const;
  return new Map([[EARLIER_PROCESS, { ...closed, unwatchedSince: { uptimeMs } }]]);
}

/** Adds hosts of an earlier process to a state; what this process has seen itself counts. */
export function withHistory(state: BackendState, hosts: BackendState['hosts']): BackendState {
  return { ...state, hosts: new Map([...hosts, ...state.hosts]) };
}
