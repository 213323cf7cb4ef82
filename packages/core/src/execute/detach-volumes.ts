import { confirmedWrite } from './confirmed-write.ts';
import { type DetachStrategy, strategyFor } from './detach-requests.ts';
import type { Effect, LostDecision } from './effect.ts';
import { mapBounded } from './map-bounded.ts';
import { type ExecutePorts, MAX_WRITES_AT_ONCE, type NodePlan } from './node-plan.ts';
import { heldBack } from './siblings.ts';

/** Requests the detach of each volume, by the strategy that fits its node. */
export async function detachVolumes(decisions: readonly LostDecision[], work: NodePlan): Promise<Effect[]> {
  const { nowMs, ports } = work;
  // The taint detaches every volume of the node, so it waits until all may be released. Until then they are detached one by one.
  const mayTaint = decisions.length === work.decisions.length && heldBack(work).length === 0;
  const byStrategy = Map.groupBy(decisions, ({ attachment, node }) => {
    const strategy = strategyFor(node, ports.requests.requestedForMs(attachment.uid, nowMs), ports.policy);
    return strategy === 'out-of-service' && !mayTaint ? 'in-use' : strategy;
  });
  const effects = await mapBounded([...byStrategy], byStrategy.size, ([strategy, group]) =>
    strategy === 'delete'
      ? mapBounded(group, MAX_WRITES_AT_ONCE, (decision) => deleteAttachment(decision, work))
      : changeNode(strategy, group, work),
  );
  return effects.flat();
}

function deleteAttachment(decision: LostDecision, work: NodePlan): Promise<Effect> {
  const { ports, signal } = work;
  return confirmedWrite('detach', [decision], work, async () => {
    const result = await recordingUnconfirmed([decision], 'delete', ports, () =>
      ports.actions.deleteVolumeAttachment(decision.attachment, signal),
    );
    return detachEffect(decision, 'delete', result === 'deleted' ? 'changed' : result, ports);
  });
}

/** One write to the Node detaches all its volumes of ours. */
async function changeNode(
  strategy: Exclude<DetachStrategy, 'delete'>,
  decisions: readonly LostDecision[],
  work: NodePlan,
): Promise<Effect[]> {
  const { ports, signal } = work;
  const [{ node }] = work.decisions;
  const results: Effect[] = [];
  const effect = await confirmedWrite('detach', decisions, work, async () => {
    if (node.kind === 'gone')
      throw new TypeError(`Expected Node ${node.name} to exist for strategy ${strategy}`);
    const { actions, policy } = ports;
    const result = await recordingUnconfirmed(decisions, strategy, ports, () =>
      strategy === 'in-use'
        ? actions.removeVolumesInUse(node.node, policy.attacher, handlesOf(decisions), signal)
        : actions.addOutOfServiceTaint(node.node, signal),
    );
    results.push(...decisions.map((decision) => detachEffect(decision, strategy, result, ports)));
    return undefined;
  });
  return effect ? [effect] : results;
}

/** Records a detach whose outcome is unknown. If the VolumeAttachment later disappears, it counts as our release. */
async function recordingUnconfirmed<R>(
  decisions: readonly LostDecision[],
  strategy: DetachStrategy,
  { requests }: ExecutePorts,
  write: () => Promise<R>,
): Promise<R> {
  try {
    return await write();
  } catch (err) {
    const isUnknown = err instanceof Error && 'outcome' in err && err.outcome === 'unknown';
    if (isUnknown) for (const decision of decisions) requests.recordUnconfirmed(decision, strategy);
    throw err;
  }
}

function handlesOf(decisions: readonly LostDecision[]): readonly string[] {
  return decisions.flatMap(({ volume }) => volume?.volumeHandle ?? []);
}

/** The effect of a write on one of its volumes. The write counts as a change when it changed any of them. */
function detachEffect(
  decision: LostDecision,
  strategy: DetachStrategy,
  result: DeleteOrChange,
  { requests, clock }: ExecutePorts,
): Effect {
  const { uid } = decision.attachment;
  const isDone = result === 'changed' || (result !== 'replaced' && requests.isUnconfirmed(uid));
  const order = requests.record(uid, strategy, clock.now());
  if (result === 'replaced') {
    return { kind: 'superseded', decisions: [decision], why: 'Another object has the name now' };
  }
  if (!isDone || order === 'again') return { kind: 'detaching', decision, strategy };
  return { kind: order === 'first' ? 'detach-requested' : 'fell-back', decision, strategy };
}

type DeleteOrChange = 'changed' | 'unchanged' | 'gone' | 'replaced';
