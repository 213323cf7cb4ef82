/** Attributes by name; `undefined` leaves one out. Never `style` or an event handler: the Content-Security-Policy forbids them. */
type Attributes = Readonly<Record<string, string | undefined>>;

/** Builds an element. Strings become text nodes, never markup. */
export function h<K extends keyof HTMLElementTagNameMap>(
  tag: K,
  attributes: Attributes = {},
  ...children: readonly (Node | string)[]
): HTMLElementTagNameMap[K] {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) setAttribute(element, name, value);
  element.append(...children);
  return element;
}

/** Writes only what differs: a selection, the focus and what a screen reader has read stay as they are. */
export function setText(element: Element, text: string): void {
  if (element.textContent !== text) element.textContent = text;
}

/** `undefined` removes it. Writes only what differs. */
export function setAttribute(element: Element, name: string, value: string | undefined): void {
  if (value === undefined) element.removeAttribute(name);
  else if (element.getAttribute(name) !== value) element.setAttribute(name, value);
}

/** An empty text hides the element. */
export function setTextOrHide(element: HTMLElement, text: string | undefined): void {
  element.hidden = text === undefined || text === '';
  setText(element, text ?? '');
}

/** @throws {TypeError} when the document has no such element. */
export function byId(id: string): HTMLElement {
  const element = document.getElementById(id);
  if (!element) throw new TypeError(`Expected an element #${id}`);
  return element;
}
