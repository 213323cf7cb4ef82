import type { Session, Snapshot, Tracking } from './snapshot.ts';

/** What one entry of connection tracking says about its host. */
export type SessionAge =
  /** The last packet of an established session passed this long ago. */
  | { readonly kind: 'dated'; readonly ageMs: number }
  /** The host is asking for a session: it lives, although nothing is established. */
  | { readonly kind: 'opening' }
  /** Closing, or cut down since the host no longer answers: nothing tells when it last spoke. */
  | { readonly kind: 'undated' }
  /** An age no entry can have: the box means something else than we understand. */
  | { readonly kind: 'impossible'; readonly detail: string };

/** Entries do not outlive a reboot; slack for commands that take their time, ms. */
const UPTIME_SLACK_MS = 60_000;

const OPENING: ReadonlySet<string> = new Set(['syn-sent', 'syn-received', 'syn-sent2']);

/**
 * Age of an entry: every packet of an established session winds its timeout up to `tcp-established-timeout`, so the
 * age is what has run off since. Not so at or below the shortened timeout: Linux cuts an entry down to it when three
 * packets to the host stayed unanswered, long before a day has passed.
 */
export function sessionAge(session: Session, tracking: Tracking, uptimeMs: number): SessionAge {
  const { state, remainingMs } = session;
  if (OPENING.has(state)) return { kind: 'opening' };
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

/** Addresses with a session whose last packet is younger than the window. */
export function liveAddresses(snapshot: Snapshot, activityWindowMs: number): ReadonlySet<string> {
  const { sessions, tracking, uptimeMs } = snapshot;
  const live = sessions.filter((session) => {
    const age = sessionAge(session, tracking, uptimeMs);
    return age.kind === 'dated' && age.ageMs < activityWindowMs;
  });
  return new Set(live.map(({ address }) => address));
}
