import { type Fence, isFenceOf } from '../model/fence-record.ts';
import type { FenceState } from '../model/fence-state.ts';
import { addressKey } from '../model/storage-address.ts';
import type { StorageNode, StorageQuery } from '../model/storage-query.ts';
import type { Enforcement, NodeEvidence } from '../model/storage-reading.ts';

/** After the last activity of a fenced node, a simple backend holds no write of it any more, ms. */
export const SIMPLE_QUIESCE_MS = 10_000;

/** What a simple backend judges a fence by. */
export interface SimpleFenceFacts {
  readonly node: StorageNode;
  readonly query: Pick<StorageQuery, 'clusterId' | 'owner'>;
  readonly evidence: NodeEvidence | undefined;
  readonly fences: readonly Fence[];
  readonly enforcement: Enforcement;
  readonly observedAtMs: number;
}

/** How far a fence has come at a backend whose writes end `SIMPLE_QUIESCE_MS` after the node's last activity. */
export function judgeFence(facts: SimpleFenceFacts): FenceState {
  const { node, query, evidence, fences, enforcement, observedAtMs } = facts;
  if (enforcement.kind === 'not-enforced') {
    const { detail, fix } = enforcement;
    return { kind: 'ineffective', reason: 'not-enforced', why: detail, ...(fix !== undefined && { fix }) };
  }
  if (node.addresses.length === 0) return { kind: 'unknown', why: 'No storage address of the node is known' };
  const own = fences.filter((fence) => isFenceOf(fence, node, query));
  const [first] = own;
  const fenced = new Set(own.flatMap(({ inForce }) => inForce.map(addressKey)));
  const open = node.addresses.filter((address) => !fenced.has(addressKey(address)));
  if (!first || open.length > 0) return { kind: 'open', addresses: open, ...(first && { partial: first }) };
  const seenSinceMs = Math.max(...own.map((fence) => fence.seenSinceMs));
  const lastActivityMs = evidence?.kind === 'unknown' ? undefined : evidence?.lastActivityMs;
  const untilMs = Math.max((lastActivityMs ?? seenSinceMs) + SIMPLE_QUIESCE_MS, seenSinceMs + 1);
  if (observedAtMs >= untilMs) return { kind: 'effective', fence: first, why: 'fence effective: quiesced' };
  return { kind: 'quiescing', fence: first, untilMs, why: 'Accepted writes may still be running' };
}
