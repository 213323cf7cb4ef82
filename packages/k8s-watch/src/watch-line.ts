import { fromWatchStatus, KubeApiError } from '@reattach/k8s-api';
import { type Identity, isJsonObject, type JsonObject, readIdentity, textAt } from './raw-object.ts';

/** On the bookmark that ends the initial events of a streaming list. @see KEP-3157 */
const INITIAL_EVENTS_END = 'k8s.io/initial-events-end';

/** One line of a watch. */
export type WatchLine =
  | {
      readonly kind: 'changed' | 'deleted';
      readonly identity: Identity;
      readonly resourceVersion: string;
      readonly raw: JsonObject;
    }
  | { readonly kind: 'bookmark'; readonly resourceVersion: string; readonly endsInitialEvents: boolean };

/** @throws {KubeApiError} what an ERROR event says, or `MALFORMED` for anything that is not a watch event. */
export function readWatchLine(line: unknown): WatchLine {
  const type = textAt(line, 'type');
  const raw = isJsonObject(line) ? line['object'] : undefined;
  if (type === 'ERROR') throw fromWatchStatus(raw);
  const resourceVersion = textAt(raw, 'metadata', 'resourceVersion');
  if (!isJsonObject(raw) || resourceVersion === undefined) throw malformedObject(`${type} event`);
  if (type === 'BOOKMARK') {
    const endsInitialEvents = textAt(raw, 'metadata', 'annotations', INITIAL_EVENTS_END) === 'true';
    return { kind: 'bookmark', resourceVersion, endsInitialEvents };
  }
  if (type !== 'ADDED' && type !== 'MODIFIED' && type !== 'DELETED') {
    throw malformedObject(`event of type ${JSON.stringify(type)}`);
  }
  const identity = requireIdentity(raw, `${type} event`);
  return { kind: type === 'DELETED' ? 'deleted' : 'changed', identity, resourceVersion, raw };
}

/** @throws {KubeApiError} `MALFORMED` */
export function requireIdentity(raw: unknown, what: string): Identity {
  const identity = readIdentity(raw);
  if (!identity) throw malformedObject(what);
  return identity;
}

/** The thing that came as `what` is not a Kubernetes object. */
export function malformedObject(what: string): KubeApiError {
  return new KubeApiError('MALFORMED', 'not-applied', `${what} without name, uid or resourceVersion`);
}
