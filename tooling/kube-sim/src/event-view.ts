import type { KubeObject } from './kube-object.ts';
import { KubeSimError } from './kube-sim-error.ts';

/** Events are stored once, in core/v1 form, and served in both groups. */
export interface EventView {
  toServed(stored: KubeObject): KubeObject;
  toStored(served: KubeObject): KubeObject;
}

/** Field names of core/v1 and their names in events.k8s.io/v1. */
const FIELD_NAMES = [
  ['involvedObject', 'regarding'],
  ['message', 'note'],
  ['reportingComponent', 'reportingController'],
  ['source', 'deprecatedSource'],
  ['count', 'deprecatedCount'],
  ['firstTimestamp', 'deprecatedFirstTimestamp'],
  ['lastTimestamp', 'deprecatedLastTimestamp'],
] as const;

function renamed(object: KubeObject, apiVersion: string, names: ReadonlyMap<string, string>): KubeObject {
  const { apiVersion: _, kind, metadata, ...fields } = object;
  const entries = Object.entries(fields).map(([field, value]) => [names.get(field) ?? field, value]);
  return { apiVersion, kind, metadata, ...Object.fromEntries(entries) };
}

const toEventsV1 = new Map<string, string>(FIELD_NAMES);
const toCoreV1 = new Map<string, string>(FIELD_NAMES.map(([core, events]) => [events, core]));

/** The events.k8s.io/v1 view. */
export const eventsV1View: EventView = {
  toServed: (stored) => renamed(stored, 'events.k8s.io/v1', toEventsV1),
  toStored: (event) => renamed(event, 'v1', toCoreV1),
};

const REQUIRED = ['eventTime', 'reportingController', 'reportingInstance', 'action', 'reason'] as const;

/**
 * Refuses what `ValidateEventCreate` refuses: an Event outside the namespace of the object it regards and, in
 * events.k8s.io/v1, one without its required fields.
 * @throws {KubeSimError} Invalid.
 */
export function validateNewEvent(event: KubeObject, strict: boolean): void {
  const refuse = (problem: string) => {
    throw new KubeSimError('Invalid', `Event "${event.metadata.name}" is invalid: ${problem}`);
  };
  const regarding = (event['regarding'] ?? event['involvedObject'] ?? {}) as { readonly namespace?: string };
  const expected = regarding.namespace ?? 'default';
  if (
    event.metadata.namespace !== expected &&
    !(regarding.namespace === undefined && event.metadata.namespace === 'kube-system')
  ) {
    refuse(`involvedObject.namespace: Invalid value: does not match event.namespace (expected ${expected})`);
  }
  if (!strict) return;
  for (const field of REQUIRED) {
    if (typeof event[field] !== 'string' || event[field] === '') refuse(`${field}: Required value`);
  }
  if (event['type'] !== 'Normal' && event['type'] !== 'Warning')
    refuse('type: Invalid value: must be Normal or Warning');
  if (typeof event['note'] === 'string' && event['note'].length > 1024)
    refuse('note: can have at most 1024 bytes');
}
