import { EVENT_REASONS } from '@reattach/core';
import { loadKubeApi } from '@reattach/k8s-api';
import { printableDeep } from '../telemetry/printable.ts';
import { type Command, OUTPUT_FLAG } from './command.ts';
import { formatDuration } from './duration.ts';
import { NAMESPACE_FLAG, NODE_FLAG, namespaceOf } from './filter.ts';
import { print } from './print.ts';
import { readConfig } from './read-config.ts';
import type { Style } from './style.ts';
import { type Cell, formatTable } from './table.ts';

const TIMEOUT_MS = 10_000;
/** Events listed at a time. */
const PAGE = 500;

/** One Event of this controller, as shown. */
export interface EventRow {
  readonly atMs: number;
  readonly type: string;
  readonly reason: string;
  /** `PersistentVolumeClaim default/data-a`. */
  readonly object: string;
  readonly count: number;
  readonly message: string;
}

export const eventsCommand: Command = {
  name: 'events',
  args: [],
  summary: 'The Events of Reattach on claims, nodes and its own pods, newest last.',
  flags: [NODE_FLAG, NAMESPACE_FLAG, OUTPUT_FLAG],
  async run(call, io) {
    const { kubeconfigPaths, context } = readConfig(call.configArgv, io);
    await using api = loadKubeApi({ kubeconfigPaths, context, clock: io.clock });
    const namespace = namespaceOf(call);
    const path = `/apis/events.k8s.io/v1/${namespace === undefined ? '' : `namespaces/${encodeURIComponent(namespace)}/`}events`;
    const rows: EventRow[] = [];
    for (let next: string | undefined = ''; next !== undefined; ) {
      const answer = (await api.request({
        method: 'GET',
        path,
        query: { limit: String(PAGE), ...(next !== '' && { continue: next }) },
        operation: 'list events',
        signal: io.signal,
        timeoutMs: TIMEOUT_MS,
      })) as { readonly items?: readonly RawEvent[]; readonly metadata?: { readonly continue?: string } };
      rows.push(...(answer.items ?? []).flatMap(rowOf));
      next = answer.metadata?.continue || undefined;
    }
    const node = call.flags.get('--node');
    const shown = printableDeep(rows)
      .filter(
        ({ object, message }) =>
          node === undefined || object === `Node ${String(node)}` || message.includes(`node ${String(node)}`),
      )
      .toSorted((a, b) => a.atMs - b.atMs);
    return print(call, io, { events: shown }, (style) => eventsText(shown, io.clock.now(), style));
  },
};

interface RawEvent {
  readonly reason?: string;
  readonly type?: string;
  readonly note?: string;
  readonly eventTime?: string;
  readonly deprecatedLastTimestamp?: string;
  readonly deprecatedCount?: number;
  readonly series?: { readonly count?: number; readonly lastObservedTime?: string };
  readonly reportingController?: string;
  readonly regarding?: { readonly kind?: string; readonly namespace?: string; readonly name?: string };
}

const REASONS: ReadonlySet<string> = new Set(EVENT_REASONS);

function rowOf(event: RawEvent): readonly EventRow[] {
  const { reason = '', type = 'Normal', note = '', regarding = {}, series, reportingController = '' } = event;
  if (!REASONS.has(reason) || !/reattach/.test(reportingController)) return [];
  const time = series?.lastObservedTime ?? event.deprecatedLastTimestamp ?? event.eventTime ?? '';
  const { kind = '', namespace = '', name = '' } = regarding;
  const object = kind === 'Node' || namespace === '' ? `${kind} ${name}` : `${kind} ${namespace}/${name}`;
  const count = series?.count ?? event.deprecatedCount ?? 1;
  return [{ atMs: Date.parse(time) || 0, type, reason, object, count, message: note }];
}

/** One line each. */
export function eventsText(events: readonly EventRow[], nowMs: number, style: Style): string {
  if (events.length === 0) return 'There are no Events of Reattach. Kubernetes keeps an Event for an hour.\n';
  const rows = events.map(({ atMs, type, reason, object, count, message }): Cell[] => [
    { text: `${formatDuration(nowMs - atMs)} ago` },
    { text: reason, tone: type === 'Warning' ? 'warn' : 'good' },
    { text: object },
    { text: String(count) },
    { text: message },
  ]);
  return formatTable(['LAST SEEN', 'REASON', 'OBJECT', 'COUNT', 'MESSAGE'], rows, style);
}
