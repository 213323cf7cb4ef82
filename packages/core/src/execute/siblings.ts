import type { PodFact } from '../model/facts.ts';
import type { AttachmentView } from '../view/cluster-view.ts';
import type { NodePlan } from './node-plan.ts';

/** Whether the pod uses the volume of an attachment. */
export function usedBy(pod: PodFact): (view: AttachmentView) => boolean {
  return ({ volume }) =>
    volume?.claim?.namespace === pod.namespace && pod.claimNames.includes(volume.claim.name);
}

/** Storage of the pod that no fence of ours protects, in words; `undefined` when there is none or the operator opted in. */
export function foreignVolume(pod: PodFact, { decisions: [{ node }], ports }: NodePlan): string | undefined {
  if (ports.policy.otherDrivers === 'release-pods') return undefined;
  const own = ports.attachments.filter(({ attachment }) => attachment.nodeName === node.name);
  const claim = pod.claimNames.find(
    (name) =>
      !own.some(({ volume }) => volume?.claim?.namespace === pod.namespace && volume.claim.name === name),
  );
  if (claim !== undefined) return `claim ${claim}`;
  const [direct] = pod.directVolumes ?? [];
  return direct === undefined ? undefined : `volume ${direct}`;
}

/** Attachments of ours on the node that are neither being deleted nor decided to be released. */
export function heldBack({ decisions: [{ node }], ports }: NodePlan): readonly AttachmentView[] {
  return ports.attachments.filter(
    ({ attachment }) =>
      attachment.nodeName === node.name &&
      attachment.deletingSinceMs === undefined &&
      !ports.verdicts.isReleasable(attachment.uid, ports.clock.now()),
  );
}
