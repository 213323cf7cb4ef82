import {
  addressKey,
  type Enforcement,
  type Fence,
  type FenceState,
  isFenceOf,
  type NodeEvidence,
  type StorageNode,
  type StorageQuery,
} from '@reattach/core';

/** Counters of a volume that only the fenced node may write to. */
export interface VolumeWrites {
  /** Since when every reading showed the same counters; absent when there are none, and while writes are running. */
  readonly stillSinceMs?: number;
  readonly isRunning: boolean;
}

/** What a fence is judged by. */
export interface FenceFacts {
  readonly node: StorageNode;
  readonly query: Pick<StorageQuery, 'clusterId' | 'owner'>;
  readonly evidence: NodeEvidence | undefined;
  readonly fences: readonly Fence[];
  readonly enforcement: Enforcement;
  readonly observedAtMs: number;
  /** Of the volumes that only this node may write to. */
  readonly writes: readonly VolumeWrites[];
  readonly quiesceMs: number;
  readonly writesStillMs: number;
}

/**
 * A fence is effective when one reading shows all of it: the drop rule is enforced; every address has a static, enabled entry
 * that an earlier reading had shown; the node's last packet is `quiesceMs` old (without any, the fence is); the write counters
 * of its single-writer volumes have stood still for `writesStillMs`.
 */
export function fenceState(facts: FenceFacts): FenceState {
  const { node, query, fences, enforcement, observedAtMs, quiesceMs } = facts;
  if (enforcement.kind === 'not-enforced') {
    const { detail, fix } = enforcement;
    return { kind: 'ineffective', reason: 'not-enforced', why: detail, ...(fix !== undefined && { fix }) };
  }
  if (node.addresses.length === 0) return { kind: 'unknown', why: 'No storage address of the node is known' };
  const own = fences.filter((fence) => isFenceOf(fence, node, query));
  const [fence] = own;
  const fenced = new Set(own.flatMap(({ inForce }) => inForce.map(addressKey)));
  const open = node.addresses.filter((address) => !fenced.has(addressKey(address)));
  if (!fence || open.length > 0) return { kind: 'open', addresses: open, ...(fence && { partial: fence }) };
  const seenSinceMs = Math.max(...own.map((each) => each.seenSinceMs));
  const quiescedAtMs = (lastActivityMs(facts.evidence) ?? seenSinceMs) + quiesceMs;
  if (observedAtMs < quiescedAtMs || observedAtMs <= seenSinceMs) {
    const untilMs = Math.max(quiescedAtMs, seenSinceMs + 1);
    return { kind: 'quiescing', fence, untilMs, why: 'The backend may still hold commands of the node' };
  }
  const states = facts.writes.map((writes) => afterQuiesce(fence, writes, facts, quiescedAtMs, seenSinceMs));
  return (
    states.find(({ kind }) => kind === 'ineffective') ??
    states.find(({ kind }) => kind === 'quiescing') ?? {
      kind: 'effective',
      fence,
      why: 'fence effective: no packet since, write counters unchanged',
    }
  );
}

function afterQuiesce(
  fence: Fence,
  { stillSinceMs, isRunning }: VolumeWrites,
  { observedAtMs, quiesceMs, writesStillMs }: FenceFacts,
  quiescedAtMs: number,
  seenSinceMs: number,
): FenceState {
  const leak = (why: string): FenceState => ({ kind: 'ineffective', reason: 'still-writing', fence, why });
  if (isRunning) {
    const why = 'Writes are running at the backend';
    if (observedAtMs >= quiescedAtMs + quiesceMs) return leak(why);
    return { kind: 'quiescing', fence, untilMs: observedAtMs + writesStillMs, why };
  }
  if (stillSinceMs === undefined) return leak('The backend gives no write counters of the volume');
  const stillMs = observedAtMs - stillSinceMs;
  if (stillSinceMs > Math.max(quiescedAtMs, seenSinceMs) && stillMs < quiesceMs) {
    return leak('The volume was written to after the fence had quiesced');
  }
  if (stillMs >= writesStillMs) return { kind: 'effective', fence, why: '' };
  const untilMs = stillSinceMs + writesStillMs;
  return { kind: 'quiescing', fence, untilMs, why: 'Write counters have not stood still for long enough' };
}

function lastActivityMs(evidence: NodeEvidence | undefined): number | undefined {
  return evidence === undefined || evidence.kind === 'unknown' ? undefined : evidence.lastActivityMs;
}
