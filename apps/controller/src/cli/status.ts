import type { AttachmentState, BackendState, StateReport } from '@reattach/status-page';
import { EXIT } from '../exit-code.ts';
import { type Command, OUTPUT_FLAG, SERVER_FLAG } from './command.ts';
import { formatDuration } from './duration.ts';
import { print } from './print.ts';
import { readState } from './read-state.ts';
import type { Style } from './style.ts';
import { type Cell, formatTable } from './table.ts';
import {
  agoCell,
  count,
  decisionCell,
  evidenceCell,
  needsAttention,
  nodeStateWords,
  volumeName,
} from './words.ts';

export const statusCommand: Command = {
  name: 'status',
  args: [],
  summary:
    'What is attached to lost nodes, what the backend says about them and what was decided; `--all`: everything.',
  flags: [
    { name: '--all', description: 'Also attachments on nodes that are fine.' },
    {
      name: '--exit-code',
      description: 'Exit with 3 when something is held or stale, or a backend is not connected.',
    },
    OUTPUT_FLAG,
    SERVER_FLAG,
  ],
  async run(call, io) {
    const { report, notes } = await readState(call, io, call.flags.has('--all') ? 'all' : 'lost');
    for (const note of notes) io.stderr(`${note}\n`);
    print(call, io, report, (style) => statusText(report, style));
    return call.flags.has('--exit-code') && needsAttention(report) ? EXIT.attention : EXIT.ok;
  },
};

/** What the backends and the cluster are like, then a line for each attachment, the lost ones first. */
export function statusText(report: StateReport, style: Style): string {
  const { attachments, asOfMs } = report;
  const head = [
    summary(report, style),
    cacheLine(report, style),
    ...report.backends.map((backend) => backendLine(backend, asOfMs, style)),
  ];
  const text = `${head.join('\n')}\n`;
  if (attachments.length === 0) return text;
  const titles = ['VOLUME', 'PVC', 'NODE', 'NODE STATE', 'EVIDENCE', 'DECISION', 'SINCE'];
  const rows = attachments
    .toSorted(byUrgency)
    .map((each): Cell[] => [
      { text: each.persistentVolume ?? each.volumeAttachment },
      { text: each.claim ? volumeName(each) : '-' },
      { text: each.node },
      { text: nodeStateWords(each.nodeState), ...(each.nodeState !== 'ready' && { tone: 'bad' as const }) },
      evidenceCell(each, asOfMs),
      decisionCell(each, asOfMs),
      agoCell(each.sinceMs, asOfMs),
    ]);
  return `${text}\n${formatTable(titles, rows, style)}`;
}

function summary({ counts, mode, version, identity }: StateReport, style: Style): string {
  const lost = counts.attachments - counts.ready;
  const held = Object.entries(counts.heldByReason).map(([reason, number]) => `${number} ${reason}`);
  const all = count(counts.attachments, 'attachment');
  const state =
    lost === 0
      ? style('good', `${all}, all on nodes that are Ready`)
      : style('bad', `${all}, ${lost} on lost nodes${held.length > 0 ? `; held: ${held.join(', ')}` : ''}`);
  const by = identity === '' ? '' : ` (${identity})`;
  return `Reattach ${version}${by}, mode ${mode}: ${state}`;
}

function cacheLine({ cache, asOfMs }: StateReport, style: Style): string {
  if (!cache.synced) return style('bad', `Cluster: ${cache.detail}`);
  return `Cluster: seen ${formatDuration(asOfMs - cache.freshAsOfMs)} ago`;
}

function backendLine(backend: BackendState, asOfMs: number, style: Style): string {
  const { name, connected, detail, readAtMs, liveHosts, enforcement, fences } = backend;
  if (!connected) return style('bad', `Backend ${name}: not connected: ${detail}`);
  const parts = [
    detail,
    ...(readAtMs === undefined ? [] : [`read ${formatDuration(asOfMs - readAtMs)} ago`]),
    ...(liveHosts === undefined ? [] : [`${count(liveHosts, 'host')} live`]),
    ...(enforcement === undefined
      ? []
      : [enforcement.kind === 'enforced' ? 'fences enforced' : `fences not enforced: ${enforcement.detail}`]),
    fences.length === 0
      ? 'no fences'
      : `fenced: ${fences.map(({ nodeName, id }) => `${nodeName} (${id})`).join(', ')}`,
  ];
  return `Backend ${name}: ${parts.join('; ')}`;
}

/** Held first, then what is on its way, then what is fine; by node within. */
function byUrgency(a: AttachmentState, b: AttachmentState): number {
  return rank(a) - rank(b) || a.node.localeCompare(b.node) || volumeName(a).localeCompare(volumeName(b));
}

const RANKS = { hold: 0, wait: 1, fence: 1, release: 1, keep: 2 } as const;

function rank({ nodeState, decision }: AttachmentState): number {
  return (nodeState === 'ready' ? 10 : 0) + RANKS[decision];
}
