import type { AuditRecord } from '../audit-record.ts';
import { h, setAttribute, setText, setTextOrHide } from './dom.ts';
import { count, formatDuration, formatTime } from './format.ts';
import { type Incident, summarise } from './incidents.ts';
import { KeyedList, type Row } from './keyed-list.ts';

/** The latest incident is unfolded while it is this young, ms. */
const UNFOLD_MS = 60 * 60_000;
/** A node may have hundreds of volumes. */
const MAX_RECORDS = 60;

/** What was done, the latest incident first, each with its records. */
export function incidentList(parent: Element): KeyedList<Incident> {
  return new KeyedList<Incident>(parent, ({ key }) => key, createRow);
}

function createRow(): Row<Incident> {
  const time = h('time');
  const node = h('strong');
  const what = h('span');
  const ago = h('span', { class: 'small' });
  const records = h('ol', { class: 'plain records' });
  const more = h('p', { class: 'small' });
  const recordList = new KeyedList<AuditRecord>(records, keyOf, createRecordRow);
  const details = h('details', {}, h('summary', {}, time, ' ', node, ' ', what, ' ', ago), records, more);
  let isNew = true;
  return {
    element: h('li', {}, details),
    update(incident, nowMs) {
      setTime(time, incident.startedAtMs, nowMs);
      setText(node, incident.node);
      setText(what, summarise(incident.records));
      setText(ago, timesOf(incident, nowMs));
      recordList.render(incident.records.slice(-MAX_RECORDS), nowMs);
      const left = incident.records.length - MAX_RECORDS;
      setTextOrHide(more, left > 0 ? `and ${count(left, 'earlier action')}: reattach history` : undefined);
      if (isNew) details.open = nowMs - incident.endedAtMs < UNFOLD_MS;
      isNew = false;
    },
  };
}

function createRecordRow(): Row<AuditRecord> {
  const time = h('time');
  const what = h('strong');
  const why = h('span', { class: 'small' });
  return {
    element: h('li', {}, time, ' ', what, ' ', why),
    update(record, nowMs) {
      setTime(time, record.atMs, nowMs);
      setText(what, actionOf(record));
      setText(why, detailOf(record));
    },
  };
}

/** Of one pass there is one record for each fence, pod, attachment and taint. */
function keyOf({ atMs, kind, backend, fence, pod, volumeAttachment, taint }: AuditRecord): string {
  return [atMs, kind, backend, fence?.id, pod?.namespace, pod?.name, volumeAttachment, taint].join(' ');
}

function setTime(element: HTMLTimeElement, atMs: number, nowMs: number): void {
  setAttribute(element, 'datetime', new Date(atMs).toISOString());
  setText(element, formatTime(atMs, nowMs));
}

function actionOf({ kind, node, claim, persistentVolume, backend, pod, taint }: AuditRecord): string {
  const at = backend === undefined ? '' : ` at backend ${backend}`;
  if (kind === 'fenced') return `Fenced ${node}${at}`;
  if (kind === 'confirmed-off') return `Confirmed that ${node} is off${at}`;
  if (kind === 'unfenced') return `Unfenced ${node}${at}`;
  if (kind === 'untainted') return `Removed taint ${taint ?? ''} of ${node}`;
  if (kind === 'pod-deleted') return `Deleted pod ${pod ? `${pod.namespace}/${pod.name}` : ''} of ${node}`;
  return `Released ${claim ? `${claim.namespace}/${claim.name}` : persistentVolume} from ${node}`;
}

/** The outage: how long the node had been lost when its last volume was released. The start of the pods comes on top. */
function timesOf({ records, endedAtMs }: Incident, nowMs: number): string {
  const ago = `${formatDuration(nowMs - endedAtMs)} ago`;
  const lostForMs = records.findLast(({ kind }) => kind === 'released')?.lostForMs;
  return lostForMs === undefined ? ago : `${ago}; released ${formatDuration(lostForMs)} after the loss`;
}

function detailOf({ why, rule, strategy, evidence }: AuditRecord): string {
  const isTold = evidence === undefined || why.includes(evidence.detail);
  const facts = [
    ...(isTold ? [] : [`${evidence.kind}: ${evidence.detail}`]),
    ...(rule === undefined ? [] : [`rule ${rule}`]),
    ...(strategy === undefined ? [] : [`by ${strategy}`]),
  ];
  return facts.length === 0 ? why : `${why} (${facts.join('; ')})`;
}
