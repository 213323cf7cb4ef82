import {
  addressKey,
  type Fence,
  type FenceState,
  type NodeEvidence,
  type StorageNode,
  UNKNOWN_REASONS,
} from '@reattach/core';

/** A host that has logged in to a backend. */
export interface BackendHost {
  readonly ip: string;
  /** When its last packet came, epoch ms, by the controller's clock. */
  readonly lastSeenMs: number;
  /** Commands that the backend has accepted from it and not finished. */
  readonly inFlight: number;
}

/** How soon a fence that is not effective is judged again, ms. */
const JUDGE_AGAIN_MS = 1_000;

/** What hosts prove about a node. @param hosts those of the node */
export function evidenceOf(
  { addresses }: StorageNode,
  hosts: readonly BackendHost[],
  observedAtMs: number,
  silentAfterMs: number,
): NodeEvidence {
  if (hosts.length === 0) {
    const reason = addresses.length === 0 ? 'no-address' : 'never-seen-live';
    return { kind: 'unknown', observedAtMs, reason, detail: UNKNOWN_REASONS[reason] };
  }
  const lastActivityMs = Math.max(...hosts.map(({ lastSeenMs }) => lastSeenMs));
  const detail = `Last packet ${observedAtMs - lastActivityMs} ms ago`;
  if (observedAtMs - lastActivityMs < silentAfterMs)
    return { kind: 'live', observedAtMs, lastActivityMs, detail };
  return { kind: 'silent', observedAtMs, lastActivityMs, silentSinceMs: lastActivityMs, detail };
}

/** What a fence is judged by. */
export interface FenceFacts {
  readonly node: StorageNode;
  /** Hosts at the node's addresses. */
  readonly hosts: readonly BackendHost[];
  /** Fences of the node. */
  readonly fences: readonly Fence[];
  /** A live host belongs to no known node, so it may be this one. */
  readonly hasLiveStranger: boolean;
  readonly nowMs: number;
}

/** A fence is effective once a reading after the one that first showed it says that nothing of the node is in flight. */
export function fenceStateOf({ node, hosts, fences, hasLiveStranger, nowMs }: FenceFacts): FenceState {
  const [fence] = fences;
  const cut = new Set(fences.flatMap(({ inForce }) => inForce.map(addressKey)));
  const open = node.addresses.filter((address) => !cut.has(addressKey(address)));
  if (node.addresses.length === 0) return { kind: 'unknown', why: 'The node has no address' };
  if (!fence || open.length > 0) return { kind: 'open', addresses: open, partial: fence };
  if (hasLiveStranger) {
    const why = 'A live host belongs to no known node';
    return { kind: 'ineffective', reason: 'unattributed-session', fence, why };
  }
  const seenSinceMs = Math.max(...fences.map((each) => each.seenSinceMs));
  if (hosts.some(({ lastSeenMs }) => lastSeenMs > seenSinceMs)) {
    const why = 'A packet of the node was accepted after the fence';
    return { kind: 'ineffective', reason: 'still-writing', fence, why };
  }
  const inFlight = hosts.reduce((sum, host) => sum + host.inFlight, 0);
  if (inFlight > 0 || seenSinceMs >= nowMs) {
    const why = `${inFlight} commands are in flight`;
    return { kind: 'quiescing', fence, untilMs: nowMs + JUDGE_AGAIN_MS, why };
  }
  return { kind: 'effective', fence, why: 'The backend blocks the node, and nothing of it is in flight' };
}
