import type { PodFact } from '../model/facts.ts';
import { hasFencedTaint } from '../model/fenced-taint.ts';
import { confirmedWrite } from './confirmed-write.ts';
import { detachVolumes } from './detach-volumes.ts';
import { decisionsOf, type Effect } from './effect.ts';
import { mapBounded } from './map-bounded.ts';
import { MAX_WRITES_AT_ONCE, type NodePlan } from './node-plan.ts';
import { foreignVolume, heldBack, usedBy } from './siblings.ts';

/** Pods first: while one exists, the attach-detach controller makes the VolumeAttachment for the dead node again. */
export async function releaseNode(work: NodePlan): Promise<Effect[]> {
  const { decisions, ports } = work;
  const unprepared = await addFencedTaint(work);
  if (unprepared) return [unprepared];
  const pods = [...ports.cluster.podsOnNode(decisions[0].node.name)].filter((pod) =>
    decisions.some(usedBy(pod)),
  );
  ports.deletedPods.see(pods);
  const results = await mapBounded(pods, MAX_WRITES_AT_ONCE, (pod) => deletePod(pod, work));
  const effects = results.filter((effect) => effect !== undefined);
  const blocked = new Set(effects.filter(isBlocking).flatMap(decisionsOf));
  const free = decisions.filter((decision) => !blocked.has(decision));
  return [...effects, ...(await detachVolumes(free, work))];
}

/** A pod that finalizers keep still holds its volumes: the attach-detach controller would attach them again. */
function isBlocking(effect: Effect): boolean {
  return effect.kind !== 'pod-deleted' || (effect.pod.finalizers ?? []).length > 0;
}

/** A node that Kubernetes calls Ready gets its pods back unless they are kept off first. @returns what kept it from being done. */
async function addFencedTaint(work: NodePlan): Promise<Effect | undefined> {
  const { decisions, ports, signal } = work;
  const [{ node }] = decisions;
  if (node.kind !== 'lease-stale' || hasFencedTaint(node.node)) return undefined;
  return confirmedWrite('add-fenced-taint', decisions, work, async (): Promise<Effect | undefined> => {
    const result = await ports.actions.addFencedTaint(node.node, signal);
    const isTainted = result === 'changed' || result === 'unchanged';
    return isTainted ? undefined : { kind: 'superseded', decisions, why: `The Node is ${result}` };
  });
}

/** A deleted pod releases all its volumes, so it is kept while one of ours may not be released. */
async function deletePod(pod: PodFact, work: NodePlan): Promise<Effect | undefined> {
  const { ports, signal } = work;
  const decisions = work.decisions.filter(usedBy(pod));
  const foreign = foreignVolume(pod, work);
  if (foreign !== undefined) {
    const why = `Pod ${pod.name} also uses ${foreign}, which is not ours, and nothing fences that one`;
    return { kind: 'postponed', decisions, reason: 'sibling-held', why };
  }
  const held = heldBack(work).find(usedBy(pod));
  if (held) {
    const why = `Pod ${pod.name} also uses a volume that may not go: ${held.attachment.persistentVolumeName}`;
    return { kind: 'postponed', decisions, reason: 'sibling-held', why };
  }
  const stays = ports.deletedPods.whyItStays(pod);
  if (stays !== undefined) return { kind: 'postponed', decisions, reason: 'pod-stays', why: stays };
  return confirmedWrite('delete-pod', decisions, work, async (): Promise<Effect | undefined> => {
    const result = await ports.actions.forceDeletePod(pod, signal);
    if (result === 'deleted') ports.deletedPods.record(pod);
    return result === 'deleted' ? { kind: 'pod-deleted', decisions, pod } : undefined;
  });
}
