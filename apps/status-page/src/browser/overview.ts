import type { StateReport } from '../state-report.ts';
import { byId, setText } from './dom.ts';
import { formatRoughly, listNames } from './format.ts';
import { type Incident, summarise } from './incidents.ts';

const TIME_ZONE = Intl.DateTimeFormat().resolvedOptions().timeZone;

/** The numbers at the top; each leads to its section. */
export function renderOverview(report: StateReport, incidents: readonly Incident[], nowMs: number): void {
  const { counts, nodes, backends, mode, leading, lastPass, version, identity } = report;
  const held = Object.values(counts.heldByReason).reduce((total, amount) => total + amount, 0);
  setText(byId('count-attachments'), counts.attachments.toLocaleString('en'));
  setText(byId('sub-attachments'), held > 0 ? `${held.toLocaleString('en')} held` : 'none held');
  const ready = nodes.filter(({ state }) => state === 'ready').length;
  setText(byId('count-nodes'), `${ready} of ${nodes.length}`);
  const fenced = nodes.filter(({ fences }) => fences.length > 0).length;
  setText(byId('sub-nodes'), fenced > 0 ? `ready, ${fenced} fenced` : 'ready');
  const connected = backends.filter((backend) => backend.connected).length;
  setText(byId('count-backends'), `${connected} of ${backends.length}`);
  setText(byId('sub-backends'), 'connected');
  const [latest] = incidents;
  setText(byId('count-done'), latest ? `${formatRoughly(nowMs - latest.endedAtMs)} ago` : 'nothing');
  setText(byId('sub-done'), latest ? `${latest.node}: ${summarise(latest.records)}` : 'on record');
  setText(byId('mode'), mode);
  setText(byId('sub-mode'), leading ? 'this replica leads' : 'this replica is a standby');
  setText(byId('last-pass'), lastPass ? `${formatRoughly(nowMs - lastPass.startedAtMs)} ago` : 'none yet');
  setText(byId('sub-pass'), lastPass ? `${lastPass.result}: ${listNames(lastPass.reasons)}` : '');
  setText(
    byId('about'),
    `Reattach ${version}, ${identity}, attacher ${report.attacher}. Times of day are ${TIME_ZONE}.`,
  );
}
