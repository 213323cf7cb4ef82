import { KubeApiError } from '@reattach/k8s-api';
import { isJsonObject, textAt } from './raw-object.ts';
import { splitItems } from './split-items.ts';

/** One page of a list. */
export interface ListPage {
  readonly resourceVersion: string;
  /** To be read once, in order: each may be parsed no sooner. */
  readonly items: Iterable<unknown>;
  /** Asks for the next page; absent on the last. */
  readonly continueToken: string | undefined;
}

/** Reads the text of a list; its items are parsed when they are read. @throws {SyntaxError} when the text beside them is not JSON. */
export function parseList(text: string): unknown {
  const split = splitItems(text);
  if (!split) return JSON.parse(text);
  return { ...(JSON.parse(split.rest) as object), items: parseEach(split.items) };
}

/** @throws {KubeApiError} `MALFORMED` at an item that is not JSON. */
function* parseEach(items: readonly string[]): Generator {
  for (const item of items) {
    let parsed: unknown;
    try {
      parsed = JSON.parse(item);
    } catch {
      throw new KubeApiError('MALFORMED', 'not-applied', 'list item that is not JSON');
    }
    yield parsed;
  }
}

/** @throws {KubeApiError} `MALFORMED` for anything that is not a list. */
export function readListPage(raw: unknown): ListPage {
  const resourceVersion = textAt(raw, 'metadata', 'resourceVersion');
  const items = isJsonObject(raw) ? raw['items'] : undefined;
  // An empty list of a Go server may be `null`.
  const found = items === null ? [] : items;
  if (resourceVersion === undefined || !isIterable(found)) {
    throw new KubeApiError('MALFORMED', 'not-applied', 'list without resourceVersion or items');
  }
  return { resourceVersion, items: found, continueToken: textAt(raw, 'metadata', 'continue') };
}

function isIterable(value: unknown): value is Iterable<unknown> {
  return typeof value === 'object' && value !== null && Symbol.iterator in value;
}
