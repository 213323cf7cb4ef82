import type { StateReport } from '../state-report.ts';
import { h, setAttribute, setText, setTextOrHide } from './dom.ts';
import { count, formatDuration } from './format.ts';
import { KeyedList, type Row } from './keyed-list.ts';

type BackendReport = StateReport['backends'][number];

/** The storage backends: whether they can be read, and whether they can fence. */
export function backendList(parent: Element): KeyedList<BackendReport> {
  return new KeyedList<BackendReport>(parent, ({ name }) => name, createRow);
}

function createRow(): Row<BackendReport> {
  const name = h('h3');
  const connection = h('span', { class: 'badge' });
  const enforcement = h('span', { class: 'badge' });
  const detail = h('p', { class: 'small' });
  const reading = h('p', { class: 'small' });
  const enforcementDetail = h('p', { class: 'small' });
  const fix = h('code', { class: 'fix' });
  const fences = h('ul', { class: 'plain small' });
  const fenceList = new KeyedList<ShownFence>(fences, ({ id }) => id, createFenceRow);
  const head = h('div', { class: 'head' }, name, connection, enforcement);
  const element = h('li', { class: 'card' }, head, detail, reading, enforcementDetail, fix, fences);
  return {
    element,
    update(backend, nowMs) {
      setText(name, backend.name);
      setAttribute(connection, 'data-kind', backend.connected ? 'connected' : 'disconnected');
      setText(connection, backend.connected ? 'connected' : 'not connected');
      setAttribute(enforcement, 'data-kind', `enforcement-${backend.enforcement?.kind ?? 'unknown'}`);
      setText(enforcement, enforcementWord(backend));
      setText(detail, backend.detail);
      setText(reading, readingOf(backend, nowMs));
      const unenforced = backend.enforcement?.kind === 'not-enforced' ? backend.enforcement : undefined;
      setTextOrHide(enforcementDetail, unenforced?.detail);
      setTextOrHide(fix, unenforced?.fix);
      fences.hidden = backend.fences.length === 0;
      fenceList.render(
        backend.fences.map((fence) => ({ ...fence, isOld: !backend.connected, readAtMs: backend.readAtMs })),
        nowMs,
      );
    },
  };
}

/** A fence as it was last read. The backend cannot be read now: it may be gone since. */
type ShownFence = BackendReport['fences'][number] & {
  readonly isOld: boolean;
  readonly readAtMs: number | undefined;
};

function createFenceRow(): Row<ShownFence> {
  const element = h('li');
  return {
    element,
    update({ id, nodeName, addresses, fencedAtMs, isOld, readAtMs }, nowMs) {
      const since = formatDuration(nowMs - fencedAtMs);
      const verb = isOld
        ? `was cut off when the backend was last read, ${formatDuration(nowMs - (readAtMs ?? nowMs))} ago`
        : 'is cut off';
      setText(element, `${nodeName} ${verb} (${addresses.join(', ')}), fence ${id}, for ${since}`);
      setAttribute(element, 'data-old', isOld ? 'true' : undefined);
    },
  };
}

function enforcementWord({ enforcement }: BackendReport): string {
  if (!enforcement) return 'fencing not known';
  return enforcement.kind === 'enforced' ? 'can fence' : 'cannot fence';
}

function readingOf({ readAtMs, liveHosts, unattributed = [] }: BackendReport, nowMs: number): string {
  if (readAtMs === undefined) return 'Never read';
  const hosts = liveHosts === undefined ? 'hosts not known' : count(liveHosts, 'live host');
  const strangers =
    unattributed.length === 0 ? '' : `; sessions of no known node: ${unattributed.join(', ')}`;
  return `Read ${formatDuration(nowMs - readAtMs)} ago: ${hosts}${strangers}`;
}
