import type { AuditRecord } from '../../audit/audit-record.ts';
import { h, setAttribute, setText } from './dom.ts';
import { formatDuration, formatTime } from './format.ts';
import { type Incident, summarise } from './incidents.ts';
import { KeyedList, type Row } from './keyed-list.ts';

/** The latest incident is unfolded while it is this young, ms. */
const UNFOLD_MS = 60 * 60_000;

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
  const recordList = new KeyedList<AuditRecord>(records, keyOf, createRecordRow);
  const details = h('details', {}, h('summary', {}, time, ' ', node, ' ', what, ' ', ago), records);
  let isNew = true;
  return {
    element: h('li', {}, details),
    update(incident, nowMs) {
      setTime(time, incident.startedAtMs, nowMs);
      setText(node, incident.node);
      setText(what, summarise(incident.records));
      setText(ago, `${formatDuration(nowMs - incident.endedAtMs)} ago`);
      recordList.render(incident.records, nowMs);
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

function keyOf({ atMs, kind, node, volumeAttachment, persistentVolume, box }: AuditRecord): string {
  return [atMs, kind, node, volumeAttachment, persistentVolume, box].join(' ');
}

function setTime(element: HTMLTimeElement, atMs: number, nowMs: number): void {
  setAttribute(element, 'datetime', new Date(atMs).toISOString());
  setText(element, formatTime(atMs, nowMs));
}

function actionOf({ kind, node, claim, persistentVolume, box, pod, taint }: AuditRecord): string {
  const at = box === undefined ? '' : ` at box ${box}`;
  if (kind === 'fenced') return `Fenced ${node}${at}`;
  if (kind === 'unfenced') return `Unfenced ${node}${at}`;
  if (kind === 'untainted') return `Removed taint ${taint ?? ''} of ${node}`;
  if (kind === 'pod-deleted') return `Deleted pod ${pod ? `${pod.namespace}/${pod.name}` : ''} of ${node}`;
  return `Released ${claim ? `${claim.namespace}/${claim.name}` : persistentVolume} from ${node}`;
}

function detailOf({ why, rule, strategy, lostForMs, evidence }: AuditRecord): string {
  const facts = [
    ...(lostForMs === undefined ? [] : [`lost for ${formatDuration(lostForMs)}`]),
    ...(evidence === undefined ? [] : [`${evidence.kind}: ${evidence.detail}`]),
    ...(rule === undefined ? [] : [`rule ${rule}`]),
    ...(strategy === undefined ? [] : [`by ${strategy}`]),
  ];
  return facts.length === 0 ? why : `${why} (${facts.join('; ')})`;
}
