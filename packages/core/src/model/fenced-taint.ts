import type { NodeFact } from './facts.ts';

/**
 * Keeps new pods off a node that was fenced while Kubernetes still calls it Ready: the scheduler would put a released pod
 * back, and the attach-detach controller its volume. Effect `NoSchedule`. @see ADR 0009
 */
export const FENCED_TAINT = 'reattach.srvlab.io/fenced';

/** The node is kept free of new pods, by whichever controller. */
export function hasFencedTaint({ taints }: NodeFact): boolean {
  return taints.some(({ key }) => key === FENCED_TAINT);
}

/** The node carries the taint that the controller of this attacher set: its value is the attacher. */
export function hasOwnFencedTaint({ taints }: NodeFact, attacher: string): boolean {
  return taints.some(({ key, value }) => key === FENCED_TAINT && value === attacher);
}
