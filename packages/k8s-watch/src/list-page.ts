import { KubeApiError } from '@reattach/k8s-api';
import { isJsonObject, type JsonObject, textAt } from './raw-object.ts';

/** One page of a list. */
export interface ListPage {
  readonly resourceVersion: string;
  readonly items: readonly JsonObject[];
  /** Asks for the next page; absent on the last. */
  readonly continueToken: string | undefined;
}

/** @throws {KubeApiError} `MALFORMED` for what is no list. */
export function readListPage(raw: unknown): ListPage {
  const resourceVersion = textAt(raw, 'metadata', 'resourceVersion');
  const items = isJsonObject(raw) ? raw['items'] : undefined;
  // An empty list of a Go server may be `null`.
  const found = items === null ? [] : items;
  if (resourceVersion === undefined || !Array.isArray(found) || !found.every(isJsonObject)) {
    throw new KubeApiError('MALFORMED', 'not-applied', 'list without resourceVersion or items');
  }
  return { resourceVersion, items: found, continueToken: textAt(raw, 'metadata', 'continue') };
}
