import { type LiveLoss, nodeDrift } from './confirm-lost.ts';
import type { Effect, LostDecision } from './effect.ts';
import type { ExecutePorts, NodePlan } from './node-plan.ts';

/**
 * Runs `write` when the Node is confirmed lost by a live GET, we are the leader and no later pass has decided otherwise.
 * @returns the effect of the write, or why it did not run
 */
export async function confirmedWrite<E extends Effect | undefined>(
  step: 'add-fenced-taint' | 'delete-pod' | 'detach',
  decisions: readonly LostDecision[],
  { ports, signal }: NodePlan,
  write: () => Promise<E>,
): Promise<E | Effect> {
  const [decision] = decisions;
  if (!decision) throw new TypeError('Expected a decision to confirm');
  try {
    const { changed } = await confirmLost(decision, ports, signal);
    if (changed !== undefined) return { kind: 'superseded', decisions, why: changed };
    const withdrawn = decisions.find(
      ({ attachment: { uid } }) => !ports.verdicts.isReleasable(uid, ports.clock.now()),
    );
    if (withdrawn) {
      const why = `${withdrawn.attachment.name} may no longer be released: a later pass decided otherwise`;
      return { kind: 'superseded', decisions, why };
    }
    if (step !== 'add-fenced-taint') ports.progress.beginRelease(decision.node.name);
    return await write();
  } catch (err) {
    signal.throwIfAborted();
    return { kind: 'failed', step, decisions, err };
  }
}

/** Compares the Node with its live state. @throws when that cannot be read, or when we are not the leader */
export async function confirmLost(
  { node }: LostDecision,
  { actions, leadership }: ExecutePorts,
  signal: AbortSignal,
): Promise<LiveLoss> {
  leadership.assertHeld();
  const loss = await nodeDrift(node, actions, signal);
  leadership.assertHeld();
  return loss;
}
