/** The text of a list, taken apart. */
export interface SplitItems {
  /** The list without its items. */
  readonly rest: string;
  /** The text of each item, in order. */
  readonly items: readonly string[];
}

const QUOTE = 34;
const COMMA = 44;
const OPEN_BRACKET = 91;
const BACKSLASH = 92;
const CLOSE_BRACKET = 93;
const OPEN_BRACE = 123;
const CLOSE_BRACE = 125;

/**
 * Takes the text of a Kubernetes list apart without parsing it, so that its items can be parsed one by one: parsed all at
 * once, a page of 500 Nodes is some 30 MB that lives until the last of them has been read.
 * @returns `undefined` for anything but an object with an array `items` of objects.
 */
export function splitItems(text: string): SplitItems | undefined {
  const items: string[] = [];
  let depth = 0;
  let lastText = '';
  let itemsFrom = -1;
  let itemFrom = -1;
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code === QUOTE) {
      const end = endOfText(text, at);
      if (end === -1 || isBetweenItems(depth, itemsFrom)) return undefined;
      if (depth === 1) lastText = text.slice(at + 1, end);
      at = end;
    } else if (code === OPEN_BRACE || code === OPEN_BRACKET) {
      if (isBetweenItems(depth, itemsFrom)) {
        if (code === OPEN_BRACKET) return undefined;
        itemFrom = at;
      } else if (depth === 1 && code === OPEN_BRACKET && lastText === 'items') itemsFrom = at;
      depth++;
    } else if (code === CLOSE_BRACE || code === CLOSE_BRACKET) {
      depth--;
      if (itemsFrom === -1) continue;
      if (depth === 2) items.push(text.slice(itemFrom, at + 1));
      if (depth === 1) return { rest: `${text.slice(0, itemsFrom)}[]${text.slice(at + 1)}`, items };
    } else if (isBetweenItems(depth, itemsFrom) && code !== COMMA && code > 32) return undefined;
  }
  return undefined;
}

function isBetweenItems(depth: number, itemsFrom: number): boolean {
  return depth === 2 && itemsFrom !== -1;
}

/** Where the text that begins at `start` ends; -1 where it does not. */
function endOfText(text: string, start: number): number {
  for (let end = text.indexOf('"', start + 1); end !== -1; end = text.indexOf('"', end + 1)) {
    let backslashes = 0;
    while (text.charCodeAt(end - 1 - backslashes) === BACKSLASH) backslashes++;
    if (backslashes % 2 === 0) return end;
  }
  return -1;
}
