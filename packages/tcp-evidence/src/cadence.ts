import type { SessionTrace } from './host-activity.ts';

/** One host in two readings in a row. */
export interface CadenceSample {
  /** Its sessions in the reading before and in this one, by key. */
  readonly before: ReadonlyMap<string, SessionTrace>;
  readonly now: ReadonlyMap<string, SessionTrace>;
  /** Upper bound of its last activity as the reading before showed it. */
  readonly lastBeforeMs: number;
  readonly requestedBeforeMs: number;
  readonly receivedBeforeMs: number;
  readonly receivedNowMs: number;
}

/** Packets of a host in one keep-alive exchange: the command, and the acknowledgement of its answer. */
const PACKETS_PER_EXCHANGE = 2;

/** Two readings must be so far apart for a mean interval between exchanges to mean something, ms. */
const MIN_SPAN_MS = 5_000;

/**
 * The longest silence that the host has survived between the two readings, ms; 0 when nothing can be learned: it did not
 * speak since, or its sessions are not the same.
 */
export function survivedSilenceMs(sample: CadenceSample): number {
  const { before, now, lastBeforeMs, requestedBeforeMs, receivedBeforeMs, receivedNowMs } = sample;
  const provedMs = Math.max(...[...now.values()].map((trace) => trace.provedMs ?? Number.NEGATIVE_INFINITY));
  const packets = packetsBetween(before, now);
  const hasSpoken = provedMs > receivedBeforeMs || (packets ?? 0) > 0;
  if (!hasSpoken || before.size !== now.size || [...now.keys()].some((key) => !before.has(key))) return 0;
  const seenMs = requestedBeforeMs - lastBeforeMs;
  if (packets === undefined || packets === 0) return Math.max(seenMs, 0);
  const exchanges = Math.ceil(packets / PACKETS_PER_EXCHANGE);
  const spanMs = receivedNowMs - receivedBeforeMs;
  // A single exchange ended one silence; more of them shared the time between the readings.
  const meanMs = exchanges === 1 ? provedMs - lastBeforeMs : spanMs / exchanges;
  return Math.max(seenMs, spanMs >= MIN_SPAN_MS ? meanMs : 0, 0);
}

function packetsBetween(
  before: ReadonlyMap<string, SessionTrace>,
  now: ReadonlyMap<string, SessionTrace>,
): number | undefined {
  let packets = 0;
  for (const [key, { session }] of now) {
    const counted = before.get(key)?.session.hostPackets;
    if (counted === undefined || session.hostPackets === undefined || session.hostPackets < counted)
      return undefined;
    packets += session.hostPackets - counted;
  }
  return packets;
}

/** A host that was not heard for as long as the window yet may be one that speaks rarely: so many windows. */
const UNKNOWN_CADENCE_WINDOWS = 9;

/** What is known of a host's cadence. */
export interface Cadence {
  readonly longestSilenceMs: number;
  readonly firstProvedMs?: number;
  readonly provedMs?: number;
}

/**
 * How long a host must have been silent before silence proves anything, ms: the activity window; twice the longest silence it
 * has survived when that was longer than half the window; and nine windows while it was heard for less than one window, since
 * its keep-alive interval is its own choice (measured: up to 62 s).
 */
export function requiredSilenceMs(
  { longestSilenceMs, firstProvedMs, provedMs }: Cadence,
  activityWindowMs: number,
): number {
  const isHeard =
    firstProvedMs !== undefined && (provedMs ?? firstProvedMs) - firstProvedMs >= activityWindowMs;
  const isKnown = isHeard || firstProvedMs === Number.NEGATIVE_INFINITY;
  const leastMs = isKnown ? activityWindowMs : UNKNOWN_CADENCE_WINDOWS * activityWindowMs;
  return longestSilenceMs > activityWindowMs / 2 ? Math.max(leastMs, 2 * longestSilenceMs) : leastMs;
}
