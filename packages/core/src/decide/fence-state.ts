import type { FenceFact, FenceGuard, NodeEvidence, StorageReading } from '../model/facts.ts';
import type { FencePolicy } from '../model/policy.ts';

/** How far a node is cut off from a box, as read back from it. */
export type FenceState =
  /** Fences or drop rule could not be read, or it is not known what to cut off. */
  | { readonly kind: 'unknown'; readonly why: string }
  /** The box drops nothing, fence or not. */
  | { readonly kind: 'unarmed'; readonly why: string }
  /** Some addresses are not fenced. `partial`: the fence a crash left half done. */
  | { readonly kind: 'open'; readonly addresses: readonly string[]; readonly partial?: FenceFact }
  /** Cut off, but what the box has accepted before may still be under way. */
  | { readonly kind: 'draining'; readonly fence: FenceFact; readonly untilMs: number; readonly why: string }
  /** Writes arrive although it should be cut off. */
  | { readonly kind: 'leaking'; readonly fence: FenceFact; readonly why: string }
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
 * A fence is effective when one reading shows all of it: the drop rule is armed; every address has a static, enabled entry
 * that an earlier reading had shown; the node's last packet is `drainMs` old (without any, the fence is); the write counters
 * of a single-writer volume have stood still for `writesStillMs`.
 * @see design section 4, "Fences at the box"
 */
export function fenceState(c: FenceCase): FenceState {
  const { reading, nodeName, addresses, policy } = c;
  const { fences, guard, observedAtMs } = reading;
  if (!fences || !guard) return { kind: 'unknown', why: 'Fences at the box could not be read' };
  if (guard.kind === 'unarmed') return { kind: 'unarmed', why: unarmed(guard) };
  if (addresses.length === 0) return { kind: 'unknown', why: 'No storage address of the node is known' };
  const own = fences.filter((fence) => fence.nodeName === nodeName);
  const [first] = own;
  const fenced = new Set(own.flatMap((fence) => fence.addresses));
  const open = addresses.filter((address) => !fenced.has(address));
  if (!first || open.length > 0) return { kind: 'open', addresses: open, ...(first && { partial: first }) };

  const seenSinceMs = Math.max(...own.map((fence) => fence.seenSinceMs));
  const drainedAtMs = (lastActivityMs(c.evidence) ?? seenSinceMs) + policy.drainMs;
  if (observedAtMs < drainedAtMs || observedAtMs <= seenSinceMs) {
    const untilMs = Math.max(drainedAtMs, seenSinceMs + 1);
    return { kind: 'draining', fence: first, untilMs, why: 'The box may still hold commands of the node' };
  }
  if (c.singleWriterVolume === undefined) return { kind: 'effective', fence: first };

  const { writesStillSinceMs: stillSinceMs, writesUnderWay } =
    reading.volumes?.get(c.singleWriterVolume) ?? {};
  if (writesUnderWay) return underWay(first, observedAtMs, drainedAtMs, policy);
  if (stillSinceMs === undefined) {
    return { kind: 'leaking', fence: first, why: 'The box gives no write counters of the volume' };
  }
  const stillMs = observedAtMs - stillSinceMs;
  // Counters that moved after the drain, and not just in the first sample of a fence, were moved by somebody's write.
  if (stillSinceMs > Math.max(drainedAtMs, seenSinceMs) && stillMs < policy.drainMs) {
    return { kind: 'leaking', fence: first, why: 'The volume was written to after the fence had drained' };
  }
  if (stillMs >= policy.writesStillMs) return { kind: 'effective', fence: first };
  const untilMs = stillSinceMs + policy.writesStillMs;
  return {
    kind: 'draining',
    fence: first,
    untilMs,
    why: 'Write counters have not stood still for long enough',
  };
}

/** What was accepted before the fence ends by itself; what goes on for as long as another drain was not. */
function underWay(
  fence: FenceFact,
  observedAtMs: number,
  drainedAtMs: number,
  { drainMs, writesStillMs }: FencePolicy,
): FenceState {
  const why = 'Writes are under way at the box';
  if (observedAtMs >= drainedAtMs + drainMs) return { kind: 'leaking', fence, why };
  return { kind: 'draining', fence, untilMs: observedAtMs + writesStillMs, why };
}

function lastActivityMs(evidence: NodeEvidence): number | undefined {
  return evidence.kind === 'unknown' ? undefined : evidence.lastActivityMs;
}

function unarmed(guard: Extract<FenceGuard, { kind: 'unarmed' }>): string {
  return guard.fix === undefined ? guard.detail : `${guard.detail}; fix: ${guard.fix}`;
}
