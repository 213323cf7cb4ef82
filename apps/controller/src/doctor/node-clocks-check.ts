import type { NodeFact } from '@reattach/core';
import { type Check, ok, someOf, warning } from './check.ts';

const NAME = 'clocks';

/** A kubelet renews its Lease every 10 s; with some time for requests. */
const LATEST_RENEWAL_MS = 30_000;
/** A renewal cannot come from the future; ms that clocks may differ without harm. */
const TOLERATED_MS = 5_000;

/**
 * Whether the clocks of the nodes agree with the one here. Losses are dated by our own clock, so a difference causes no wrong decision;
 * it makes log lines and fence times of different machines hard to compare.
 * @param renewals when each kubelet last renewed its Lease, by its own clock, epoch ms
 */
export function nodeClocksCheck(
  nodes: readonly Pick<NodeFact, 'name' | 'ready'>[],
  renewals: ReadonlyMap<string, number>,
  nowMs: number,
): Check {
  const wrong = nodes.flatMap(({ name, ready }) => {
    const renewedMs = renewals.get(name);
    if (!ready || renewedMs === undefined || Number.isNaN(renewedMs)) return [];
    const ageMs = nowMs - renewedMs;
    if (ageMs < -TOLERATED_MS) return [`${name} is ${Math.round(-ageMs / 1_000)} s ahead`];
    return ageMs > LATEST_RENEWAL_MS ? [`${name} is up to ${Math.round(ageMs / 1_000)} s behind`] : [];
  });
  if (wrong.length === 0) return ok(NAME, 'The clocks of the Ready nodes agree with the one here');
  return warning(
    NAME,
    `The Leases of Ready nodes say that their clocks differ from the one here: ${someOf(wrong)}`,
    'Set up time synchronisation on these nodes and here: timedatectl set-ntp true',
  );
}
