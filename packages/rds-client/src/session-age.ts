import type { Session, Tracking } from './snapshot.ts';

/** What one entry of connection tracking, by itself, says about its host. */
export type SessionAge =
  /** The last packet of an established session passed so long ago at the most: what the backend prints is cut off to seconds. */
  | { readonly kind: 'dated'; readonly ageMs: number }
  /** Opening, closing, or data is on its way: nothing tells when the host last spoke, perhaps just now. */
  | { readonly kind: 'undated' }
  /** An age no entry can have: the backend means something else than we understand. */
  | { readonly kind: 'impossible'; readonly detail: string };

/** Entries do not outlive a reboot; slack for commands that take their time, ms. */
const UPTIME_SLACK_MS = 60_000;

/**
 * Age of an entry: every packet of an established session winds its timeout up to `tcp-established-timeout`, so the
 * age is what has run off since. Not so at or below the shortened timeout: Linux cuts an entry down to it while data of
 * either end is not acknowledged. A busy host and a dead one look the same there; their packet counters tell them apart.
 */
export function sessionAge(session: Session, tracking: Tracking, uptimeMs: number): SessionAge {
  const { state, remainingMs } = session;
  if (state !== 'established') return { kind: 'undated' };
  if (remainingMs === undefined)
    return { kind: 'impossible', detail: 'an established session has no timeout' };
  const { establishedTimeoutMs, shortenedTimeoutMs } = tracking;
  if (shortenedTimeoutMs < establishedTimeoutMs && remainingMs <= shortenedTimeoutMs)
    return { kind: 'undated' };
  const ageMs = establishedTimeoutMs - remainingMs;
  if (ageMs < 0 || ageMs > uptimeMs + UPTIME_SLACK_MS) {
    return { kind: 'impossible', detail: `a session would be ${ageMs} ms old` };
  }
  return { kind: 'dated', ageMs };
}
