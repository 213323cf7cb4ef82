import type { StateReport } from '../../state/state-report.ts';
import { h, setAttribute, setText, setTextOrHide } from './dom.ts';
import { count, formatDuration } from './format.ts';
import { KeyedList, type Row } from './keyed-list.ts';

type BoxReport = StateReport['boxes'][number];

/** The storage boxes: can they be asked, and can they fence? */
export function boxList(parent: Element): KeyedList<BoxReport> {
  return new KeyedList<BoxReport>(parent, ({ name }) => name, createRow);
}

function createRow(): Row<BoxReport> {
  const name = h('h3');
  const connection = h('span', { class: 'badge' });
  const guard = h('span', { class: 'badge' });
  const detail = h('p', { class: 'small' });
  const reading = h('p', { class: 'small' });
  const guardDetail = h('p', { class: 'small' });
  const fix = h('code', { class: 'fix' });
  const fences = h('ul', { class: 'plain small' });
  const fenceList = new KeyedList<BoxReport['fences'][number]>(fences, ({ id }) => id, createFenceRow);
  const head = h('div', { class: 'head' }, name, connection, guard);
  const element = h('li', { class: 'card' }, head, detail, reading, guardDetail, fix, fences);
  return {
    element,
    update(box, nowMs) {
      setText(name, box.name);
      setAttribute(connection, 'data-kind', box.connected ? 'connected' : 'disconnected');
      setText(connection, box.connected ? 'connected' : 'not connected');
      setAttribute(guard, 'data-kind', `guard-${box.guard?.kind ?? 'unknown'}`);
      setText(guard, guardWord(box));
      setText(detail, box.detail);
      setText(reading, readingOf(box, nowMs));
      const unarmed = box.guard?.kind === 'unarmed' ? box.guard : undefined;
      setTextOrHide(guardDetail, unarmed?.detail);
      setTextOrHide(fix, unarmed?.fix);
      fences.hidden = box.fences.length === 0;
      fenceList.render(box.fences, nowMs);
    },
  };
}

function createFenceRow(): Row<BoxReport['fences'][number]> {
  const element = h('li');
  return {
    element,
    update({ id, nodeName, addresses, fencedAtMs }, nowMs) {
      const since = formatDuration(nowMs - fencedAtMs);
      setText(element, `${nodeName} is cut off (${addresses.join(', ')}), fence ${id}, for ${since}`);
    },
  };
}

function guardWord({ guard }: BoxReport): string {
  if (!guard) return 'drop rule not read';
  return guard.kind === 'armed' ? 'can fence' : 'cannot fence';
}

function readingOf({ readAtMs, liveHosts }: BoxReport, nowMs: number): string {
  if (readAtMs === undefined) return 'Never read';
  const hosts = liveHosts === undefined ? 'hosts not known' : count(liveHosts, 'live host');
  return `Read ${formatDuration(nowMs - readAtMs)} ago: ${hosts}`;
}
