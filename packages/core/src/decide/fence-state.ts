import type { FenceFact, FenceGuard, NodeEvidence, StorageReading } from '../model/facts.ts';
import type { FencePolicy } from '../model/policy.ts';

/** How far a node is cut off from a backend, as read back from it. */
export type FenceState =
  /** Fences or drop rule could not be read, or it is not known what to cut off. */
  | { readonly kind: 'unknown'; readonly why: string }
  /** The backend drops nothing, fence or not. */
  | { readonly kind: 'unenforced'; readonly why: string }
  /** Some addresses are not fenced. `partial`: the fence a crash left half done. */
  | { readonly kind: 'open'; readonly addresses: readonly string[]; readonly partial?: FenceFact }
  /** Cut off, but what the backend has accepted before may still be under way. */
  | { readonly kind: 'quiescing'; readonly fence: FenceFact; readonly untilMs: number; readonly why: string }
  /** Writes arrive although it should be cut off. */
  | { readonly kind: 'ineffective'; readonly fence: FenceFact; readonly why: string }
  | { readonly kind: 'effective'; readonly fence: FenceFact };

/** What a fence is judged by. */
export interface FenceCase {
  readonly reading: StorageReading;
  readonly nodeName: string;
  /** All storage addresses of the node. */
  readonly addresses: readonly string[];
  readonly evidence: NodeEvidence;
  /** The volume, when only this node may write to it: its counters prove that nobody does. */
  readonly singleWriterVolume: string | undefined;
  readonly policy: FencePolicy;
}

/**
 * A fence is effective when one reading shows all of it: the drop rule is enforced; every address has a static, enabled entry
 * that an earlier reading had shown; the node's last packet is `quiesceMs` old (without any, the fence is); the write counters
 * of a single-writer volume have stood still for `writesStillMs`.
 * @see design section 4, "Fences at the backend"
 */
export function fenceState(c: FenceCase): FenceState {
  const { reading, nodeName, addresses, policy } = c;
  const { fences, guard, observedAtMs } = reading;
  if (!fences || !guard) return { kind: 'unknown', why: 'Fences at the backend could not be read' };
  if (guard.kind === 'unenforced') return { kind: 'unenforced', why: unenforced(guard) };
  if (addresses.length === 0) return { kind: 'unknown', why: 'No storage address of the node is known' };
  const own = fences.filter((fence) => fence.nodeName === nodeName);
  const [first] = own;
  const fenced = new Set(own.flatMap((fence) => fence.addresses));
  const open = addresses.filter((address) => !fenced.has(address));
  if (!first || open.length > 0) return { kind: 'open', addresses: open, ...(first && { partial: first }) };

  const seenSinceMs = Math.max(...own.map((fence) => fence.seenSinceMs));
  const quiescedAtMs = (lastActivityMs(c.evidence) ?? seenSinceMs) + policy.quiesceMs;
  if (observedAtMs < quiescedAtMs || observedAtMs <= seenSinceMs) {
    const untilMs = Math.max(quiescedAtMs, seenSinceMs + 1);
    return {
      kind: 'quiescing',
      fence: first,
      untilMs,
      why: 'The backend may still hold commands of the node',
    };
  }
  if (c.singleWriterVolume === undefined) return { kind: 'effective', fence: first };

  const { writesStillSinceMs: stillSinceMs, writesUnderWay } =
    reading.volumes?.get(c.singleWriterVolume) ?? {};
  if (writesUnderWay) return underWay(first, observedAtMs, quiescedAtMs, policy);
  if (stillSinceMs === undefined) {
    return { kind: 'ineffective', fence: first, why: 'The backend gives no write counters of the volume' };
  }
  const stillMs = observedAtMs - stillSinceMs;
  // Counters that moved after the quiesce, and not just in the first sample of a fence, were moved by somebody's write.
  if (stillSinceMs > Math.max(quiescedAtMs, seenSinceMs) && stillMs < policy.quiesceMs) {
    return {
      kind: 'ineffective',
      fence: first,
      why: 'The volume was written to after the fence had quiesced',
    };
  }
  if (stillMs >= policy.writesStillMs) return { kind: 'effective', fence: first };
  const untilMs = stillSinceMs + policy.writesStillMs;
  return {
    kind: 'quiescing',
    fence: first,
    untilMs,
    why: 'Write counters have not stood still for long enough',
  };
}

/** What was accepted before the fence ends by itself; what goes on for as long as another quiesce was not. */
function underWay(
  fence: FenceFact,
  observedAtMs: number,
  quiescedAtMs: number,
  { quiesceMs, writesStillMs }: FencePolicy,
): FenceState {
  const why = 'Writes are under way at the backend';
  if (observedAtMs >= quiescedAtMs + quiesceMs) return { kind: 'ineffective', fence, why };
  return { kind: 'quiescing', fence, untilMs: observedAtMs + writesStillMs, why };
}

function lastActivityMs(evidence: NodeEvidence): number | undefined {
  return evidence.kind === 'unknown' ? undefined : evidence.lastActivityMs;
}

function unenforced(guard: Extract<FenceGuard, { kind: 'unenforced' }>): string {
  return guard.fix === undefined ? guard.detail : `${guard.detail}; fix: ${guard.fix}`;
}
