import type { ClusterEvent, EventReason } from '@reattach/core';
import { microTime } from './micro-time.ts';

/** `reportingController` of every Event. */
const REPORTING_CONTROLLER = 'reattach.srvlab.io';

/** The API server refuses longer values: `note` 1 024 bytes, `reportingInstance` 128, names 253. */
const MAX_NOTE_BYTES = 1_024;
const MAX_INSTANCE_LENGTH = 128;
const MAX_NAME_LENGTH = 253;

/** `action`: what was done or not done, for machines. */
const ACTIONS: Readonly<Record<EventReason, string>> = {
  StaleAttachmentReleased: 'ReleaseAttachment',
  ReleaseHeld: 'HoldAttachment',
  NodeFenced: 'FenceNode',
  NodeUnfenced: 'UnfenceNode',
  NodeAddressFenced: 'FenceNode',
  NodeConfirmedOff: 'ConfirmNodeOff',
  PodNotRescheduled: 'DeletePod',
  StorageDisconnected: 'ConnectStorage',
  StorageReconnected: 'ConnectStorage',
  StartupReconciliation: 'Reconcile',
};

/** Namespace of Events about cluster-scoped objects; the API server accepts no other for them but kube-system. */
const CLUSTER_SCOPED_NAMESPACE = 'default';

export function eventNamespace(event: ClusterEvent): string {
  return isNamespaced(event) ? event.regarding.namespace : CLUSTER_SCOPED_NAMESPACE;
}

/** A name of its own, as other recorders form it: the object's name, a dot, and `id`. */
export function eventName(event: ClusterEvent, id: string): string {
  const room = MAX_NAME_LENGTH - 1 - id.length;
  return `${event.regarding.name.slice(0, room).replace(/[^a-z0-9]+$/, '')}.${id}`;
}

/** The events.k8s.io/v1 object of an Event seen for the first time. */
export function newEventObject(
  event: ClusterEvent,
  name: string,
  reportingInstance: string,
  nowMs: number,
): object {
  const { kind, name: regardingName, namespace, uid } = event.regarding;
  return {
    apiVersion: 'events.k8s.io/v1',
    kind: 'Event',
    metadata: { name, namespace: eventNamespace(event) },
    eventTime: microTime(nowMs),
    reportingController: REPORTING_CONTROLLER,
    reportingInstance: reportingInstance.slice(0, MAX_INSTANCE_LENGTH),
    action: ACTIONS[event.reason],
    reason: event.reason,
    regarding: {
      apiVersion: 'v1',
      kind,
      name: regardingName,
      ...(isNamespaced(event) && { namespace }),
      ...(uid !== undefined && { uid }),
    },
    note: truncateUtf8(event.message, MAX_NOTE_BYTES),
    type: event.type,
  };
}

/** The merge patch for an Event seen again: its series is all that may change. */
export function seriesPatch(count: number, nowMs: number): object {
  return { series: { count, lastObservedTime: microTime(nowMs) } };
}

function isNamespaced(event: ClusterEvent): boolean {
  return event.regarding.kind !== 'Node';
}

/** Cuts between characters, never within one. */
function truncateUtf8(text: string, maxBytes: number): string {
  const buffer = new Uint8Array(maxBytes);
  const { read } = new TextEncoder().encodeInto(text, buffer);
  return text.slice(0, read);
}
