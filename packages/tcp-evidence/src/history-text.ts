import { MAX_HISTORY_BYTES } from '@reattach/core';
import type { BackendState, HostHistory } from './backend-state.ts';
import { EARLIER_PROCESS, type QueueHistory, queueProof } from './queue-history.ts';

/** First line of the text: another version is another form. */
const VERSION = 'tcp-evidence/1';

/** What its queues proved when the text was written: `c` all closed, `o` open, `v` some vanished, `-` none known. */
const PROOFS = { closed: 'c', open: 'o', vanished: 'v', reset: 'v', none: '-' } as const;

const LINE = /^(\S+) (\d{1,9}) ([cov-])$/;

/**
 * What must outlive the process, as text of at most `MAX_HISTORY_BYTES`: hosts that were seen live, the longest silence each
 * has survived, and whether its queues were seen closed. It holds no times that pass, so it changes only when something was learned.
 */
export function formatHistory({ hosts }: BackendState): string {
  const newest = [...hosts].toSorted(([, a], [, b]) => b.lastMs - a.lastMs);
  const lines: string[] = [];
  let bytes = VERSION.length;
  for (const [address, host] of newest) {
    const proof = PROOFS[queueProof([host.queues]).kind];
    const line = `${address} ${Math.ceil(host.longestSilenceMs / 1_000)} ${proof}`;
    bytes += line.length + 1;
    if (bytes > MAX_HISTORY_BYTES) break;
    lines.push(line);
  }
  return [VERSION, ...lines.toSorted()].join('\n');
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
    const [, address, silenceSeconds, proof] = LINE.exec(line) ?? [];
    if (address === undefined) continue;
    hosts.set(address, {
      lastMs: Number.NEGATIVE_INFINITY,
      longestSilenceMs: Number(silenceSeconds) * 1_000,
      firstProvedMs: Number.NEGATIVE_INFINITY,
      sessions: new Map(),
      queues: restoredQueues(proof),
    });
  }
  return hosts;
}

/** Queues that were open when the text was written were not seen closed: unless they are still there, they vanished. */
function restoredQueues(proof: string | undefined): QueueHistory {
  if (proof === '-') return new Map();
  const phase = proof === 'c' ? 'closed' : 'established';
  const queue = {
    phase,
    seenAtMs: 0,
    ...(proof === 'c' && { closedAtMs: 0, isClosedByTarget: true }),
  } as const;
  return new Map([[EARLIER_PROCESS, queue]]);
}

/** Adds hosts of an earlier process to a state; what this process has seen itself counts. */
export function withHistory(state: BackendState, hosts: BackendState['hosts']): BackendState {
  return { ...state, hosts: new Map([...hosts, ...state.hosts]) };
}
