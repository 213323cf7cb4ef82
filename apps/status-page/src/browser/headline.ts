import type { AttachmentState, BackendState, StateReport } from '../state-report.ts';
import { count, formatDuration, formatRoughly, listNames } from './format.ts';
import { type Link, runbookLink } from './runbook-link.ts';
import { DECISION_WORDS } from './words.ts';

/** What comes first is said first: no answer, a person is needed, at work, worth knowing, all well. */
export const LEVELS = ['silent', 'attention', 'busy', 'notice', 'ok'] as const;

/** @see LEVELS */
export type Level = (typeof LEVELS)[number];

/** One thing an operator should know, and what can be done about it. */
export interface Point {
  readonly key: string;
  readonly level: Level;
  readonly text: string;
  readonly detail?: string;
  /** A command, to be copied. */
  readonly fix?: string;
  /** Where to read what to do. */
  readonly link?: Link;
}

/** The state of everything in one sentence, and the points it rests on, worst first. */
export interface Headline {
  readonly level: Level;
  /** Holds no ages: it changes only when something has happened, and is then read out. */
  readonly text: string;
  readonly points: readonly Point[];
}

/** Questions that fail for this long are a fault; until then they are asked again without alarm. */
const FAILING_MS = 6_000;
/** An answer this old is a fault even while none has failed: longer than the longest pause and the longest wait together. */
const OLD_MS = 20_000;

/** A backend is read at least every `rds.idlePollMs`, one minute by default. */
const UNREAD_MS = 5 * 60_000;

/** The headline while the controller gives no answer; `undefined` while it does, or has only just stopped. */
export function silenceOf(
  failure: string | undefined,
  lastAnswerAgeMs: number | undefined,
): Headline | undefined {
  const isAnswered = lastAnswerAgeMs !== undefined;
  const isFine =
    failure === undefined ? (lastAnswerAgeMs ?? 0) < OLD_MS : isAnswered && lastAnswerAgeMs < FAILING_MS;
  if (isFine) return undefined;
  const text = isAnswered ? 'what is shown below is old' : 'the controller has not answered yet';
  const detail = `${failure ?? 'No answer'}. This page keeps trying.`;
  return { level: 'silent', text, points: [{ key: 'silent', level: 'silent', text: detail }] };
}

/** @param nowMs by the controller's clock */
export function headlineOf(report: StateReport, nowMs: number): Headline {
  if (!report.leading) return standbyHeadline(report, nowMs);
  const points = [
    ...heldPoints(report),
    ...blindPoints(report, nowMs),
    ...healthPoints(report, nowMs),
    ...enforcementPoints(report),
    ...busyPoints(report),
    ...lostPoints(report),
    ...fencePoints(report, nowMs),
  ].toSorted((a, b) => LEVELS.indexOf(a.level) - LEVELS.indexOf(b.level));
  const level = points[0]?.level ?? 'ok';
  return { level, text: textOf(report, points[0]), points };
}

/** A standby does not query the backends about lost nodes, so its decisions are not shown; what it sees of the cluster is. */
function standbyHeadline(report: StateReport, nowMs: number): Headline {
  const lost = report.nodes.filter(({ state }) => state !== 'ready').map(({ name }) => name);
  const seen =
    lost.length === 0 ? 'no node is lost' : `${count(lost.length, 'node')} lost: ${listNames(lost)}`;
  const text = `This replica is a standby; ${seen}`;
  const leader = report.leader === undefined ? 'the leader' : `the leader, ${report.leader}`;
  const detail = `It does not query the backends about lost nodes, so its view is incomplete. Open the page of ${leader}. This one is ${report.identity}.`;
  const points = [
    ...healthPoints(report, nowMs),
    ...enforcementPoints(report),
    ...fencePoints(report, nowMs),
  ];
  const standby: Point = { key: 'standby', level: 'notice', text, detail };
  return {
    level: 'notice',
    text,
    points: [standby, ...points.map((point): Point => ({ ...point, level: 'notice' }))],
  };
}

function textOf(report: StateReport, worst: Point | undefined): string {
  const { counts, nodes } = report;
  if (worst?.key.startsWith(HELD)) {
    const held = sum(Object.values(counts.heldByReason));
    const where = listNames(nodesOf(report, 'hold'));
    return `${count(held, 'attachment')} held${where && ` on ${where}`}`;
  }
  if (worst) return worst.text;
  const ready = nodes.filter(({ state }) => state === 'ready').length;
  return `${count(counts.attachments, 'attachment')} on ${count(ready, 'ready node')}`;
}

const HELD = 'held ';

/** One for each reason, the most frequent first. A dry run is only worth a notice. */
function heldPoints(report: StateReport): Point[] {
  const reasons = Object.entries(report.counts.heldByReason).filter(([, amount]) => amount > 0);
  return reasons
    .toSorted(([, a], [, b]) => b - a)
    .map(([reason, amount]) => {
      const known = report.holdReasons[reason];
      const meaning = known === undefined ? '' : `: ${known}`;
      return {
        key: `${HELD}${reason}`,
        level: reason === 'dry-run' ? 'notice' : 'attention',
        text: `${count(amount, 'attachment')} held, ${reason}${meaning}`,
        link: runbookLink(report.runbookUrl, reason),
      };
    });
}

/** No node is lost, but if one were, nothing would be released: attachments on ready nodes are held as well. */
function blindPoints({ counts, cache }: StateReport, nowMs: number): Point[] {
  const isSaid = ['cache-stale', 'mass-failure'].some((reason) => (counts.heldByReason[reason] ?? 0) > 0);
  if (isSaid || counts.blocked === 0) return [];
  const text = 'If a node were lost now, nothing would be released';
  const age = cache.synced ? `is ${formatDuration(nowMs - cache.freshAsOfMs)} old` : 'is not complete';
  return [
    { key: 'blind', level: 'attention', text, detail: `The view of the cluster ${age}: ${cache.detail}` },
  ];
}

function healthPoints({ backends, lastPass }: StateReport, nowMs: number): Point[] {
  const points: Point[] = [];
  for (const { name, detail } of backends.filter(({ connected }) => !connected)) {
    const text = `Backend ${name} is not connected: nothing can be proved about its volumes`;
    points.push({ key: `backend ${name}`, level: 'attention', text, detail });
  }
  const isUnread = ({ connected, readAtMs = 0 }: BackendState) => connected && nowMs - readAtMs > UNREAD_MS;
  for (const { name, detail } of backends.filter(isUnread)) {
    const text = `Backend ${name} has not been read for more than ${formatRoughly(UNREAD_MS)}`;
    points.push({ key: `unread ${name}`, level: 'notice', text, detail });
  }
  if (lastPass?.result === 'failed') {
    const text = 'The last pass failed';
    points.push({ key: 'pass', level: 'attention', text, detail: 'It is tried again; see the log.' });
  }
  return points;
}

/** A backend that does not enforce fences cuts nothing off: in mode `fence` nothing can be released from a node that may still write. */
function enforcementPoints({ backends, mode }: StateReport): Point[] {
  return backends.flatMap(({ name, enforcement }): Point[] => {
    if (enforcement?.kind !== 'not-enforced') return [];
    const level = mode === 'fence' ? 'attention' : 'notice';
    const text = `Backend ${name} cannot fence: ${enforcement.detail}`;
    return [
      {
        key: `enforcement ${name}`,
        level,
        text,
        fix: enforcement.fix,
      },
    ];
  });
}

function busyPoints(report: StateReport): Point[] {
  const busy = report.attachments.filter(
    ({ decision, nodeState }) => decision !== 'hold' && decision !== 'keep' && nodeState !== 'ready',
  );
  if (busy.length === 0) return [];
  const where = listNames([...new Set(busy.map(({ node }) => node))]);
  const amount = (decision: AttachmentState['decision']) =>
    busy.filter((each) => each.decision === decision).length;
  const doing = (['wait', 'fence', 'release'] as const)
    .filter((decision) => amount(decision) > 0)
    .map((decision) => `${amount(decision)} ${DECISION_WORDS[decision]}`);
  const text = `${count(busy.length, 'attachment')} of ${where}: ${doing.join(', ')}`;
  return [{ key: 'busy', level: 'busy', text }];
}

/** Lost nodes with nothing on them to release: worth a notice, not an alarm. */
function lostPoints({ nodes, attachments }: StateReport): Point[] {
  const concerned = new Set(
    attachments.filter(({ decision }) => decision !== 'keep').map(({ node }) => node),
  );
  const lost = nodes.filter(({ state, name }) => state !== 'ready' && !concerned.has(name));
  if (lost.length === 0) return [];
  const text = `${count(lost.length, 'node')} lost, nothing to release: ${listNames(lost.map(({ name }) => name))}`;
  return [{ key: 'lost', level: 'notice', text }];
}

function fencePoints({ backends, nodes }: StateReport, nowMs: number): Point[] {
  const cleanups = new Map(
    nodes.flatMap((node) => node.fences.map(({ backend, id, cleanup }) => [`${backend} ${id}`, cleanup])),
  );
  return backends.flatMap(({ name: backend, fences }): Point[] =>
    fences.map(({ id, nodeName, fencedAtMs }) => {
      const text = `Node ${nodeName} is cut off from backend ${backend}`;
      const since = `Fence ${id}, for ${formatDuration(nowMs - fencedAtMs)}`;
      const cleanup = cleanups.get(`${backend} ${id}`);
      const detail = cleanup === undefined ? since : `${since}; it ${cleanup}`;
      return { key: `fence ${backend} ${id}`, level: 'notice', text, detail };
    }),
  );
}

function nodesOf({ attachments }: StateReport, decision: AttachmentState['decision']): string[] {
  return [...new Set(attachments.filter((each) => each.decision === decision).map(({ node }) => node))];
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
