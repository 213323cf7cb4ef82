import type { StateReport } from '../state-report.ts';
import { h, setAttribute, setText, setTextOrHide } from './dom.ts';
import { formatDuration } from './format.ts';
import type { Row } from './keyed-list.ts';
import { PagedTable } from './paged-table.ts';
import { NODE_STATE_WORDS } from './words.ts';

type NodeReport = StateReport['nodes'][number];

const RANK: Readonly<Record<NodeReport['state'], number>> = {
  gone: 0,
  'not-ready': 0,
  'lease-stale': 1,
  ready: 3,
};
const FENCED_RANK = 2;

/** `node-2` before `node-10`. */
const BY_NAME = new Intl.Collator('en', { numeric: true });

/** Nodes, lost and fenced ones first. */
export function nodeTable(parent: Element, pageSize: number): PagedTable<NodeReport> {
  return new PagedTable<NodeReport>({
    parent,
    label: 'nodes',
    pageSize,
    emptyText: 'No nodes are known.',
    columns: [
      { heading: 'Node', isRowHeader: true },
      { heading: 'State' },
      { heading: 'Attachments' },
      { heading: 'Fences' },
      { heading: 'Storage addresses' },
    ],
    keyOf: ({ name }) => name,
    textOf: nodeText,
    furnish,
  });
}

/** Lost ones first, then those that are ready but still fenced. */
export function nodesByUrgency(nodes: StateReport['nodes']): StateReport['nodes'] {
  return nodes.toSorted((a, b) => rankOf(a) - rankOf(b) || BY_NAME.compare(a.name, b.name));
}

function rankOf({ state, fences }: NodeReport): number {
  return state === 'ready' && fences.length > 0 ? FENCED_RANK : RANK[state];
}

function nodeText({ name, state, addresses, fences }: NodeReport): string {
  const fenced = fences.length > 0 ? ['fenced', ...fences.map(({ id }) => id)] : [];
  return [name, state, NODE_STATE_WORDS[state], ...addresses, ...fenced].join(' ').toLowerCase();
}

function furnish(cells: readonly HTMLElement[]): Row<NodeReport>['update'] {
  const name = h('span', { class: 'name' });
  const state = h('span', { class: 'badge' });
  const since = h('span', { class: 'small' });
  const attachments = h('span');
  const fenced = h('span', { class: 'badge', 'data-kind': 'fenced' }, 'fenced');
  const fences = h('span', { class: 'small' });
  const addresses = h('span', { class: 'code' });
  const parts = [[name], [state, since], [attachments], [fenced, fences], [addresses]];
  cells.forEach((cell, index) => cell.append(h('div', { class: 'cell' }, ...(parts[index] ?? []))));
  return (node, nowMs) => {
    setText(name, node.name);
    setAttribute(state, 'data-kind', node.state);
    setText(state, NODE_STATE_WORDS[node.state]);
    const isLost = node.state !== 'ready' && node.sinceMs !== undefined;
    setTextOrHide(since, isLost ? `for ${formatDuration(nowMs - (node.sinceMs ?? nowMs))}` : undefined);
    setText(attachments, String(node.attachments));
    fenced.hidden = node.fences.length === 0;
    setText(fences, node.fences.map(fenceOf(nowMs)).join('; '));
    setText(addresses, node.addresses.length === 0 ? 'none known' : node.addresses.join(', '));
  };
}

function fenceOf(nowMs: number): (fence: NodeReport['fences'][number]) => string {
  return ({ backend, id, fencedAtMs, cleanup }) =>
    `${id} at backend ${backend} for ${formatDuration(nowMs - fencedAtMs)}${cleanup === undefined ? '' : `: ${cleanup}`}`;
}
