/** What shows one item. */
export interface Row<T> {
  readonly element: Element;
  /** @param nowMs by the controller's clock, for ages */
  update(item: T, nowMs: number): void;
}

/**
 * Children of one element, one for each item. An item that stays keeps its element, and so its focus, its scroll position and
 * whether it is unfolded.
 */
export class KeyedList<T> {
  readonly #parent: Element;
  readonly #keyOf: (item: T) => string;
  readonly #createRow: () => Row<T>;
  #rows: ReadonlyMap<string, Row<T>> = new Map();

  constructor(parent: Element, keyOf: (item: T) => string, createRow: () => Row<T>) {
    this.#parent = parent;
    this.#keyOf = keyOf;
    this.#createRow = createRow;
  }

  render(items: readonly T[], nowMs: number): void {
    const rows = new Map<string, Row<T>>();
    for (const item of items) {
      const key = this.#keyOf(item);
      const row = this.#rows.get(key) ?? this.#createRow();
      row.update(item, nowMs);
      rows.set(key, row);
    }
    for (const [key, { element }] of this.#rows) if (!rows.has(key)) element.remove();
    let next = this.#parent.firstElementChild;
    for (const { element } of rows.values()) {
      if (element === next) next = next.nextElementSibling;
      else this.#parent.insertBefore(element, next);
    }
    this.#rows = rows;
  }
}
