import { byId, h, setAttribute, setText, setTextOrHide } from './dom.ts';
import type { Headline, Level, Point } from './headline.ts';
import { KeyedList, type Row } from './keyed-list.ts';

const LEVEL_WORDS: Readonly<Record<Level, string>> = {
  silent: 'No answer',
  attention: 'Needs you',
  notice: 'Take note',
  busy: 'At work',
  ok: 'All well',
};

/** More points than these would push everything else off the screen. */
const MAX_POINTS = 8;

/** The sentence at the top, the points below it and the title of the tab. */
export class HeadlineView {
  readonly #banner = byId('headline');
  readonly #word = byId('headline-level');
  readonly #text = byId('headline-text');
  readonly #points: KeyedList<Point>;
  readonly #more = byId('more-points');
  /** Part of the title of the tab. */
  clusterName: string | undefined;

  constructor() {
    this.#points = new KeyedList(byId('points'), ({ key }) => key, createRow);
  }

  render({ level, text, points }: Headline, nowMs: number): void {
    setAttribute(this.#banner, 'data-level', level);
    setText(this.#word, LEVEL_WORDS[level]);
    setText(this.#text, text);
    const shown = points.filter(
      (point) =>
        point.text !== text || [point.detail, point.fix, point.link].some((each) => each !== undefined),
    );
    this.#points.render(shown.slice(0, MAX_POINTS), nowMs);
    const left = shown.length - MAX_POINTS;
    setTextOrHide(this.#more, left > 0 ? `and ${left} more, shown below` : undefined);
    document.title = [`${LEVEL_WORDS[level]}: ${text}`, this.clusterName, 'Reattach']
      .filter((part) => part)
      .join(' · ');
  }
}

function createRow(): Row<Point> {
  const text = h('strong');
  const detail = h('span', { class: 'detail' });
  const fix = h('code', { class: 'fix' });
  const link = h('a', { target: '_blank', rel: 'noreferrer' });
  const element = h('li', {}, text, ' ', detail, fix, link);
  return {
    element,
    update(point) {
      setAttribute(element, 'data-level', point.level);
      setText(text, point.text);
      setTextOrHide(detail, point.detail);
      setTextOrHide(fix, point.fix);
      setTextOrHide(link, point.link?.text);
      setAttribute(link, 'href', point.link?.href);
    },
  };
}
