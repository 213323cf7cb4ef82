import type { Clock } from '@reattach/core';
import type { AuditRecord } from '../audit-record.ts';
import type { StateReport } from '../state-report.ts';
import { byUrgency } from './attachment-order.ts';
import { attachmentTable } from './attachment-table.ts';
import { backendList } from './backend-list.ts';
import { byId, setAttribute, setText, setTextOrHide } from './dom.ts';
import { formatDuration, formatTime } from './format.ts';
import { headlineOf, silenceOf } from './headline.ts';
import { HeadlineView } from './headline-view.ts';
import { incidentList } from './incident-list.ts';
import { type Incident, incidentsOf } from './incidents.ts';
import { nodesByUrgency, nodeTable } from './node-table.ts';
import { renderOverview } from './overview.ts';
import { Poller } from './poller.ts';
import { readJson } from './read-json.ts';

const STATE_INTERVAL_MS = 2_000;
/** What was done is asked for after each pass, and at this pace for the sake of passes of other replicas. */
const HISTORY_INTERVAL_MS = 20_000;
const TIMEOUT_MS = 8_000;
const HISTORY_LIMIT = 500;
const INCIDENTS_SHOWN = 20;
const LOST_PAGE_SIZE = 10;
const NODE_PAGE_SIZE = 10;
const ALL_PAGE_SIZE = 25;

const clock: Clock = {
  now: () => Date.now(),
  after(delayMs, fn) {
    const timer = setTimeout(fn, delayMs);
    return { [Symbol.dispose]: () => clearTimeout(timer) };
  },
};

const headline = new HeadlineView();
const lost = attachmentTable({
  parent: byId('lost-table'),
  label: 'attachments of lost nodes and held ones',
  pageSize: LOST_PAGE_SIZE,
  emptyText: 'No node with attachments is lost, and nothing is held.',
});
const nodes = nodeTable(byId('node-table'), NODE_PAGE_SIZE);
const backends = backendList(byId('backend-list'));
const incidentRows = incidentList(byId('incident-list'));
const all = attachmentTable({
  parent: byId('all-table'),
  label: 'all attachments',
  pageSize: ALL_PAGE_SIZE,
  emptyText: 'Nothing is attached.',
});

const state = new Poller<StateReport>({
  read: (signal) => readJson<StateReport>('state?attachments=lost', signal),
  clock,
  intervalMs: STATE_INTERVAL_MS,
  timeoutMs: TIMEOUT_MS,
  onChange: onState,
});
const history = new Poller<{ readonly records: readonly AuditRecord[] }>({
  read: (signal) => readJson(`history?limit=${HISTORY_LIMIT}`, signal),
  clock,
  intervalMs: HISTORY_INTERVAL_MS,
  timeoutMs: TIMEOUT_MS,
  onChange: onHistory,
});

let incidents: readonly Incident[] = [];
let seenPass: string | undefined;
let shown: StateReport | undefined;
let allAtMs: number | undefined;

function onState(): void {
  const report = state.polled.answer?.value;
  if (report && report !== shown) {
    shown = report;
    lost.setItems(byUrgency(report.attachments));
    nodes.setItems(nodesByUrgency(report.nodes));
    if (report.lastPass?.reconcileId !== seenPass) void history.ask();
    seenPass = report.lastPass?.reconcileId;
  }
  render();
}

function onHistory(): void {
  const { answer, failure } = history.polled;
  if (answer) incidents = incidentsOf(answer.value.records);
  setTextOrHide(byId('history-failure'), failure && `What was done cannot be shown: ${failure}`);
  render();
}

/** Every second, for the ages, and whenever something was answered. */
function render(): void {
  const { answer, failure } = state.polled;
  const ageMs = answer && clock.now() - answer.atMs;
  const silence = silenceOf(failure, ageMs);
  const nowMs = answer ? answer.value.asOfMs + (ageMs ?? 0) : clock.now();
  renderLink(failure, ageMs, silence !== undefined);
  if (answer) {
    const { value: report } = answer;
    headline.clusterName = report.clusterName;
    setTextOrHide(byId('cluster'), report.clusterName);
    headline.render(silence ?? headlineOf(report, nowMs), nowMs);
    renderOverview(report, incidents, nowMs);
    lost.render(nowMs);
    nodes.render(nowMs);
    backends.render(report.backends, nowMs);
    incidentRows.render(incidents.slice(0, INCIDENTS_SHOWN), nowMs);
    byId('no-incidents').hidden = incidents.length > 0 || history.polled.answer === undefined;
    byId('standby').hidden = report.leading;
    byId('content').hidden = false;
  } else if (silence) {
    headline.render(silence, nowMs);
  }
  all.render(nowMs);
}

function renderLink(failure: string | undefined, ageMs: number | undefined, isSilent: boolean): void {
  setAttribute(document.body, 'data-link', isSilent ? 'silent' : 'live');
  const age = ageMs === undefined ? 'never' : `${formatDuration(ageMs)} ago`;
  const retrying = failure === undefined ? '' : ', trying again';
  setText(byId('link'), `${isSilent ? 'Old data' : 'Live'}: answered ${age}${retrying}`);
}

async function loadAll(): Promise<void> {
  const button = byId('load-all');
  const status = byId('all-status');
  if (button.getAttribute('aria-disabled') === 'true') return;
  setAttribute(button, 'aria-disabled', 'true');
  setText(status, 'Loading…');
  try {
    const report = await readJson<StateReport>('state?attachments=all', AbortSignal.timeout(30_000));
    allAtMs = clock.now();
    all.setItems(byUrgency(report.attachments));
    byId('all-table').hidden = false;
    setText(button, 'Load again');
    setText(status, `As of ${formatTime(allAtMs, allAtMs)}, not updated by itself`);
  } catch (err) {
    const since = allAtMs === undefined ? '' : ` Shown as of ${formatTime(allAtMs, clock.now())}.`;
    setText(status, `Could not be loaded: ${err instanceof Error ? err.message : String(err)}.${since}`);
  }
  setAttribute(button, 'aria-disabled', undefined);
  render();
}

byId('load-all').addEventListener('click', () => void loadAll());
document.addEventListener('visibilitychange', () => {
  if (document.visibilityState === 'visible') void state.ask();
});
setInterval(render, 1_000);
void state.ask();
void history.ask();
