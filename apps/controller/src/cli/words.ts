import type { AttachmentState, NodeStateKind, StateReport } from '@reattach/status-page';
import { formatDuration } from './duration.ts';
import type { Cell } from './table.ts';

const NODE_STATES: { readonly [K in NodeStateKind]: string } = {
  ready: 'Ready',
  'lease-stale': 'Lease stale',
  'not-ready': 'NotReady',
  gone: 'gone',
};

/** A node's state as kubectl users know it. */
export function nodeStateWords(state: NodeStateKind): string {
  return NODE_STATES[state];
}

/** What a claim, or else a volume, is called. */
export function volumeName({ claim, persistentVolume, volumeAttachment }: AttachmentState): string {
  if (claim) return `${claim.namespace}/${claim.name}`;
  return persistentVolume ?? volumeAttachment;
}

/** `silent 45 s`, `live`, `unknown (backend-unreachable)`; `-` for a ready node, about which no backend was queried. */
export function evidenceCell({ evidence, nodeState }: AttachmentState, asOfMs: number): Cell {
  if (nodeState === 'ready' && evidence.kind === 'unknown') return { text: '-', tone: 'faint' };
  if (evidence.kind === 'unknown') return { text: `unknown (${evidence.reason ?? ''})`, tone: 'warn' };
  if (evidence.kind === 'live' || evidence.silentSinceMs === undefined) return { text: evidence.kind };
  return { text: `silent ${formatDuration(asOfMs - evidence.silentSinceMs)}` };
}

/** `hold: storage-unknown`, `wait 12 s`, `release`. */
export function decisionCell({ decision, reason, untilMs }: AttachmentState, asOfMs: number): Cell {
  if (decision === 'hold') return { text: `hold: ${reason ?? ''}`, tone: 'bad' };
  if (decision === 'keep') return { text: 'keep', tone: 'faint' };
  if (decision !== 'wait') return { text: decision, tone: 'good' };
  return { text: untilMs === undefined ? 'wait' : `wait ${formatDuration(untilMs - asOfMs)}`, tone: 'warn' };
}

/** How long ago, `-` when that is not known. */
export function agoCell(atMs: number | undefined, asOfMs: number): Cell {
  return atMs === undefined ? { text: '-', tone: 'faint' } : { text: formatDuration(asOfMs - atMs) };
}

/** `1 volume`, `2 volumes`. */
export function count(number: number, noun: string): string {
  return `${number} ${noun}${number === 1 ? '' : 's'}`;
}

/** Something needs a person. */
export function needsAttention({ counts, cache, backends }: StateReport): boolean {
  const isHeld =
    Object.keys(counts.heldByReason).length > 0 || (counts.byVerdict['hold'] ?? 0) > 0 || counts.blocked > 0;
  return isHeld || !cache.synced || backends.some(({ connected }) => !connected);
}
