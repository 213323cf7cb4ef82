import { h, setText } from './dom.ts';
import { KeyedList, type Row } from './keyed-list.ts';
import { matching } from './search.ts';

/** One column: its heading, and whether its cell heads the row. */
export interface Column {
  readonly heading: string;
  readonly isRowHeader?: true;
}

export interface PagedTableOptions<T> {
  /** Where the table goes. */
  readonly parent: Element;
  /** Names the table, its search and its pager for a screen reader. */
  readonly label: string;
  readonly columns: readonly Column[];
  readonly pageSize: number;
  readonly keyOf: (item: T) => string;
  /** Everything an item can be found by, in lower case. */
  readonly textOf: (item: T) => string;
  /** Furnishes the cells of a new row, one for each column, in order. @returns what fills them */
  readonly furnish: (cells: readonly HTMLElement[]) => Row<T>['update'];
  /** What is said instead of rows when there is nothing to show. */
  readonly emptyText: string;
}

/** A table that shows one page of what the search finds: however many items there are, only one page is in the document. */
export class PagedTable<T> {
  readonly #options: PagedTableOptions<T>;
  readonly #search: HTMLInputElement;
  readonly #tools: HTMLElement;
  readonly #table: HTMLTableElement;
  readonly #list: KeyedList<T>;
  readonly #empty = h('p', { class: 'empty' });
  readonly #status = h('span', { role: 'status' });
  readonly #previous = h('button', { type: 'button' }, 'Previous');
  readonly #next = h('button', { type: 'button' }, 'Next');
  readonly #pager: HTMLElement;
  #items: readonly T[] = [];
  #found: readonly T[] = [];
  #page = 0;
  #nowMs = 0;

  constructor(options: PagedTableOptions<T>) {
    const { parent, label, columns, keyOf } = options;
    this.#options = options;
    this.#search = h('input', {
      type: 'search',
      'aria-label': `Search ${label}`,
      placeholder: 'Words of any column',
      autocomplete: 'off',
      spellcheck: 'false',
    });
    this.#search.addEventListener('input', () => this.#turnTo(0, true));
    this.#previous.addEventListener('click', () => this.#turnTo(this.#page - 1));
    this.#next.addEventListener('click', () => this.#turnTo(this.#page + 1));
    const headings = columns.map(({ heading }) => h('th', { scope: 'col', role: 'columnheader' }, heading));
    const body = h('tbody', { role: 'rowgroup' });
    this.#list = new KeyedList(body, keyOf, () => this.#createRow());
    this.#table = h(
      'table',
      { role: 'table', 'aria-label': label }, // roles are named, since a table shown as cards loses its own
      h('thead', { role: 'rowgroup' }, h('tr', { role: 'row' }, ...headings)),
      body,
    );
    this.#pager = h('nav', { class: 'pager', 'aria-label': `Pages of ${label}` }, this.#previous, this.#next);
    this.#tools = h('div', { class: 'tools' }, this.#search, this.#status, this.#pager);
    parent.append(this.#tools, this.#table, this.#empty);
  }

  /** Shows other items; the page and the search stay as they are. */
  setItems(items: readonly T[]): void {
    this.#items = items;
    this.#find();
  }

  /** @param nowMs by the controller's clock */
  render(nowMs: number): void {
    this.#nowMs = nowMs;
    const { pageSize, emptyText } = this.#options;
    const pages = Math.ceil(this.#found.length / pageSize);
    this.#page = Math.max(0, Math.min(this.#page, pages - 1));
    const from = this.#page * pageSize;
    const shown = this.#found.slice(from, from + pageSize);
    this.#list.render(shown, nowMs);
    const isSearching = this.#search.value !== '';
    this.#tools.hidden = this.#items.length <= pageSize && !isSearching;
    this.#pager.hidden = pages <= 1;
    this.#table.hidden = shown.length === 0;
    this.#empty.hidden = shown.length > 0;
    setText(this.#empty, isSearching ? 'Nothing matches the search.' : emptyText);
    const total = this.#found.length.toLocaleString('en');
    setText(this.#status, shown.length === 0 ? '' : `${from + 1}–${from + shown.length} of ${total}`);
    // Not `disabled`: a button that loses its purpose under the finger must not lose the focus.
    this.#previous.setAttribute('aria-disabled', String(this.#page === 0));
    this.#next.setAttribute('aria-disabled', String(this.#page >= pages - 1));
  }

  #turnTo(page: number, isNewSearch = false): void {
    if (isNewSearch) this.#find();
    this.#page = page;
    this.render(this.#nowMs);
  }

  #find(): void {
    this.#found = matching(this.#items, this.#search.value, this.#options.textOf);
  }

  #createRow(): Row<T> {
    const cells = this.#options.columns.map(({ heading, isRowHeader }) =>
      isRowHeader
        ? h('th', { scope: 'row', role: 'rowheader', 'data-label': heading })
        : h('td', { role: 'cell', 'data-label': heading }),
    );
    const element = h('tr', { role: 'row' }, ...cells);
    return { element, update: this.#options.furnish(cells) };
  }
}
