import type { Clock, NodeLeaseFact } from '@reattach/core';
import type { Projection } from './object-cache.ts';
import { readIdentity, textAt } from './raw-object.ts';

/** Projects a kubelet's Lease; its name is the Node's. A `renewTime` seen before keeps the time it was first seen. */
export function toNodeLeaseFact(clock: Clock): Projection<NodeLeaseFact> {
  return (raw, previous) => {
    const nodeName = textAt(raw, 'metadata', 'name');
    const uid = readIdentity(raw)?.uid;
    if (nodeName === undefined || uid === undefined) return undefined;
    const renewTime = textAt(raw, 'spec', 'renewTime');
    if (previous && previous.renewTime === renewTime) return previous;
    return { nodeName, uid, ...(renewTime !== undefined && { renewTime }), observedAtMs: clock.now() };
  };
}
