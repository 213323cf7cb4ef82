import type { AttachmentState, BackendState, StateReport } from '@reattach/status-page';
import { EXIT, type ExitCode } from '../exit-code.ts';
import type { CliIo } from './cli-io.ts';
import { type Call, type Command, OUTPUT_FLAG, SERVER_FLAG } from './command.ts';
import { formatDuration } from './duration.ts';
import { filterReport, NAMESPACE_FLAG, NODE_FLAG } from './filter.ts';
import { print } from './print.ts';
import { readState } from './read-state.ts';
import type { Style } from './style.ts';
import { type Cell, formatTable } from './table.ts';
import { WATCH_FLAG, watched } from './watch.ts';
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
    NODE_FLAG,
    NAMESPACE_FLAG,
    WATCH_FLAG,
    OUTPUT_FLAG,
    SERVER_FLAG,
  ],
  run: (call, io) => watched(call, io, () => status(call, io)),
};

async function status(call: Call, io: CliIo): Promise<ExitCode> {
  const read = await readState(call, io, call.flags.has('--all') ? 'all' : 'lost');
  const report = filterReport(read.report, call);
  for (const note of read.notes) io.stderr(`${note}\n`);
  print(call, io, report, (style) => statusText(report, style));
  if (call.flags.has('--exit-code') && needsAttention(report)) return EXIT.attention;
  return read.isFromController ? EXIT.ok : EXIT.notFound;
}

/** What the backends and the cluster are like, then a line for each attachment, the lost ones first. */
export function statusText(report: StateReport, style: Style): string {
  const { attachments, asOfMs } = report;
  const head = [
    summary(report, style),
    ...cacheLines(report, style),
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
      { text: nodeStateWords(each.nodeState), tone: each.nodeState === 'ready' ? undefined : 'bad' },
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

/** A quiet cluster confirms its caches once a minute, so a younger one needs no words, ms. */
const NORMAL_CACHE_AGE_MS = 90_000;

function cacheLines({ cache, asOfMs }: StateReport, style: Style): readonly string[] {
  if (!cache.synced) return [style('bad', `Cluster: ${cache.detail}`)];
  const ageMs = asOfMs - cache.freshAsOfMs;
  if (ageMs <= NORMAL_CACHE_AGE_MS) return [];
  return [
    style('warn', `Cluster: last seen ${formatDuration(ageMs)} ago; decisions stop when that is too old`),
  ];
}

function backendLine(backend: BackendState, asOfMs: number, style: Style): string {
  const { name, connected, detail, readAtMs, liveHosts, enforcement, fences, unattributed = [] } = backend;
  if (!connected) return style('bad', `Backend ${name}: not connected: ${detail}`);
  const parts = [
    detail,
    ...(readAtMs === undefined ? [] : [`read ${formatDuration(asOfMs - readAtMs)} ago`]),
    ...(liveHosts === undefined ? [] : [`${count(liveHosts, 'host')} live`]),
    ...(unattributed.length === 0 ? [] : [`sessions of no known node: ${unattributed.join(', ')}`]),
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
