import type { AttachmentState } from '../state-report.ts';
import { attachmentText, volumeName } from './attachment-order.ts';
import { h, setAttribute, setText, setTextOrHide } from './dom.ts';
import { formatDuration, listNames } from './format.ts';
import type { Row } from './keyed-list.ts';
import { PagedTable } from './paged-table.ts';
import { DECISION_WORDS, NODE_STATE_WORDS } from './words.ts';

export interface AttachmentTableOptions {
  readonly parent: Element;
  readonly label: string;
  readonly pageSize: number;
  readonly emptyText: string;
}

/** Which volume is attached where, what was decided about it, why, and what that rests on. */
export function attachmentTable(options: AttachmentTableOptions): PagedTable<AttachmentState> {
  return new PagedTable({
    ...options,
    columns: [
      { heading: 'Volume', isRowHeader: true },
      { heading: 'Attached to' },
      { heading: 'Decision' },
      { heading: 'Why' },
      { heading: 'Storage evidence' },
      { heading: 'Fence' },
    ],
    keyOf: ({ volumeAttachment }) => volumeAttachment,
    textOf: attachmentText,
    furnish,
  });
}

function furnish(cells: readonly HTMLElement[]): Row<AttachmentState>['update'] {
  const volume = h('span', { class: 'name' });
  const persistentVolume = h('span', { class: 'small' });
  const pods = h('span', { class: 'small' });
  const node = h('span', { class: 'name' });
  const nodeState = h('span', { class: 'badge' });
  const decision = h('span', { class: 'badge' });
  const reason = h('span', { class: 'code' });
  const time = h('span', { class: 'small' });
  const why = h('span');
  const rule = h('span', { class: 'small' });
  const evidence = h('span', { class: 'badge' });
  const evidenceDetail = h('span', { class: 'small' });
  const fence = h('span', { class: 'badge' });
  const fenceWhy = h('span', { class: 'small' });
  const parts = [
    [volume, persistentVolume, pods],
    [node, nodeState],
    [decision, reason, time],
    [why, rule],
    [evidence, evidenceDetail],
    [fence, fenceWhy],
  ];
  cells.forEach((cell, index) => cell.append(h('div', { class: 'cell' }, ...(parts[index] ?? []))));
  return (item, nowMs) => {
    setText(volume, volumeName(item));
    setTextOrHide(persistentVolume, item.claim ? item.persistentVolume : undefined);
    setTextOrHide(
      pods,
      item.pods &&
        `used by ${listNames(
          item.pods.map(({ name }) => `pod ${name}`),
          3,
        )}`,
    );
    setText(node, item.node);
    setBadge(nodeState, item.nodeState, NODE_STATE_WORDS[item.nodeState]);
    setBadge(decision, item.decision, DECISION_WORDS[item.decision]);
    setTextOrHide(reason, item.reason);
    setTextOrHide(time, timeOf(item, nowMs));
    setText(why, item.why);
    setText(rule, `rule ${item.rule}`);
    setBadge(evidence, item.evidence.kind, item.evidence.kind);
    setText(evidenceDetail, evidenceOf(item, nowMs));
    setBadge(fence, `fence-${item.fence.kind}`, item.fence.kind === 'open' ? 'none' : item.fence.kind);
    setTextOrHide(fenceWhy, item.fence.why === item.why ? undefined : item.fence.why);
  };
}

function setBadge(badge: HTMLElement, kind: string, word: string): void {
  setAttribute(badge, 'data-kind', kind);
  setText(badge, word);
}

function timeOf({ untilMs, sinceMs }: AttachmentState, nowMs: number): string | undefined {
  if (untilMs !== undefined) {
    return untilMs > nowMs ? `for ${formatDuration(untilMs - nowMs)} more` : 'due now';
  }
  return sinceMs === undefined ? undefined : `for ${formatDuration(nowMs - sinceMs)}`;
}

/** Leaves out what the column before says already. */
function evidenceOf({ evidence, backend, why }: AttachmentState, nowMs: number): string {
  const age = `${formatDuration(nowMs - evidence.observedAtMs)} ago`;
  const source = backend === undefined ? age : `backend ${backend}, ${age}`;
  return why.includes(evidence.detail) ? source : `${evidence.detail} (${source})`;
}
