import type { Clock, FormerAddress, NodeFact } from '@reattach/core';
import { toNodeFact } from '@reattach/k8s-api';
import type { Projection } from './object-cache.ts';

/** How long an address stays known after the Node stopped naming it, ms. */
const KEEP_MS = 3_600_000;

/** Former addresses kept for one Node; the one lost first is dropped first. */
const MAX_FORMER = 8;

/**
 * Projects a Node and keeps the addresses that it named within the last hour. A kubelet that restarts, or that lost its
 * network, can report fewer addresses than the machine still writes from. A Node that becomes ready after a new boot starts
 * afresh, because connections do not survive a boot.
 */
export function toNodeFactWithHistory(clock: Clock): Projection<NodeFact> {
  return (raw, previous) => {
    const fact = toNodeFact(raw);
    if (!fact) return fact;
    const node = { ...fact, readyObservedAtMs: readySince(fact, previous) ?? clock.now() };
    return previous && !hasBooted(previous, node) ? withFormer(node, previous, clock.now()) : node;
  };
}

/** When the Node was first seen ready, or not ready, as it still is. */
function readySince(node: NodeFact, previous: NodeFact | undefined): number | undefined {
  const isSame =
    previous?.uid === node.uid &&
    previous.ready === node.ready &&
    previous.readyChangedAtMs === node.readyChangedAtMs;
  return isSame ? previous.readyObservedAtMs : undefined;
}

function hasBooted(previous: NodeFact, node: NodeFact): boolean {
  return node.ready && node.bootId !== undefined && node.bootId !== previous.bootId;
}

function withFormer(node: NodeFact, previous: NodeFact, nowMs: number): NodeFact {
  const lostBefore = new Map(previous.formerAddresses?.map(({ address, lostAtMs }) => [address, lostAtMs]));
  const named = new Set(node.storageAddresses);
  const former: FormerAddress[] = previous.storageAddresses
    .filter((address) => !named.has(address))
    .map((address) => ({ address, lostAtMs: lostBefore.get(address) ?? nowMs }))
    .filter(({ lostAtMs }) => nowMs - lostAtMs < KEEP_MS)
    .toSorted((a, b) => a.lostAtMs - b.lostAtMs)
    .slice(-MAX_FORMER);
  if (former.length === 0) return node;
  const storageAddresses = [...node.storageAddresses, ...former.map(({ address }) => address)];
  return { ...node, storageAddresses, formerAddresses: former };
}
