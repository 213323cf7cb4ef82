import type { EventObject, KubeObject } from '../kube-object.ts';
import { timestamp } from '../timestamp.ts';
import type { FakeControllerContext } from './control-loop.ts';

export interface EventText {
  /** Who says it, as in `source.component`. */
  readonly component: string;
  readonly reason: string;
  readonly message: string;
}

/** Creates a Warning Event about an object, in core/v1 form as the controllers of Kubernetes do. */
export function recordWarning(
  { store, clock }: FakeControllerContext,
  regarding: KubeObject,
  { component, reason, message }: EventText,
): EventObject {
  const { name, namespace = 'default', uid } = regarding.metadata;
  const now = timestamp(clock.now());
  return store.create({
    kind: 'Event',
    metadata: { generateName: `${name}.`, namespace },
    involvedObject: { apiVersion: regarding.apiVersion, kind: regarding.kind, namespace, name, uid },
    reason,
    message,
    type: 'Warning',
    source: { component },
    count: 1,
    firstTimestamp: now,
    lastTimestamp: now,
  });
}
