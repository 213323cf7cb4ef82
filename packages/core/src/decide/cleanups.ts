import { staleCacheReason } from '../model/cache-freshness.ts';
import type { NodeFact, VolumeAttachmentFact } from '../model/facts.ts';
import type { Fence } from '../model/fence-record.ts';
import { hasFencedTaint } from '../model/fenced-taint.ts';
import { isOtherActor, isOutOfServiceByUs } from '../model/out-of-service.ts';
import type { Policy } from '../model/policy.ts';
import { addressKey } from '../model/storage-address.ts';
import type { ClusterView } from '../view/cluster-view.ts';
import {
  cleanProof,
  type FenceOwner,
  foreignTo,
  isOfSameMachine,
  isOtherMachine,
  isSameBoot,
  keepsPodsOff,
  ownAddressKeys,
} from './clean-proof.ts';

/** @see Facts.untouched */
type Untouched = ReadonlyMap<string, readonly VolumeAttachmentFact[]>;

/** What becomes of something we left on a node: a fence at a backend, or our taint. */
export type Cleanup =
  | {
      readonly kind: 'unfence';
      readonly backendName: string;
      readonly fence: Fence;
      readonly node: NodeFact;
      readonly why: string;
      /** The fence is lifted without a boot because all of these never left the node. Absent: the node is proved clean. */
      readonly untouched?: readonly VolumeAttachmentFact[];
    }
  | {
      readonly kind: 'keep-fence';
      readonly backendName: string;
      readonly fence: Fence;
      readonly why: string;
      /** Ready nodes that are another machine than the fenced one, and that the fence cuts off by their address. Absent: none. */
      readonly cutsOff?: readonly NodeFact[];
    }
  | { readonly kind: 'untaint'; readonly node: NodeFact; readonly why: string }
  | { readonly kind: 'keep-taint'; readonly node: NodeFact; readonly why: string }
  /** Keeps new pods off a node that is fenced. */
  | { readonly kind: 'add-fenced-taint'; readonly node: NodeFact; readonly why: string }
  /** Lets the scheduler use the node again. */
  | { readonly kind: 'remove-fenced-taint'; readonly node: NodeFact; readonly why: string };

/**
 * Decides about the fences of the backends in the view. Pure. A fence outlives readiness: a host that was cut off replays its dirty
 * pages when it reconnects, so a fence is removed only when the node is Ready and proved clean (it has booted since, or the
 * operator's annotation names this fence). Our taint is removed first, once nothing of ours is left on the node.
 * @param elsewhere fences at other backends: a machine is proved clean of all its fences or of none
 * @param untouched fences whose node may return as it is, because nothing was taken from it. @see Facts.untouched
 */
export function decideUnfences(
  view: ClusterView,
  policy: Policy,
  nowMs: number,
  elsewhere: readonly Fence[] = [],
  untouched: Untouched = new Map(),
): Cleanup[] {
  const blocked = whyNothing(view, policy, nowMs);
  const own = fencesIn(view);
  const all = [...own.map(({ fence }) => fence), ...elsewhere];
  const owner = ownerOf(view, policy);
  const cutOff = nodesByAddress(view, own);
  return own.map(({ backendName, fence }) => {
    const cleanup: Cleanup =
      blocked === undefined
        ? recoverFence(view, backendName, fence, all, owner, untouched)
        : { kind: 'keep-fence', backendName, fence, why: blocked };
    const nodes = fence.inForce.flatMap((address) => cutOff.get(addressKey(address)) ?? []);
    const others = [...new Set(nodes)].filter((node) => isOtherMachine(node, fence));
    return cleanup.kind === 'keep-fence' && others.length > 0 ? { ...cleanup, cutsOff: others } : cleanup;
  });
}

/** The Ready nodes by each of their addresses; empty when there is no fence. */
function nodesByAddress(
  { nodes }: ClusterView,
  fences: readonly unknown[],
): ReadonlyMap<string, readonly NodeFact[]> {
  const byAddress = new Map<string, NodeFact[]>();
  if (fences.length === 0) return byAddress;
  for (const state of nodes.values()) {
    if (state.kind === 'gone' || !state.node.ready) continue;
    for (const key of ownAddressKeys(state.node))
      byAddress.set(key, [...(byAddress.get(key) ?? []), state.node]);
  }
  return byAddress;
}

/** Decides about our out-of-service taints. Such a taint speaks for a whole node: the view must hold all attachments and every backend. */
export function decideUntaints(view: ClusterView, policy: Policy, nowMs: number): Cleanup[] {
  const blocked = whyNothing(view, policy, nowMs);
  const fences = fencesIn(view).map(({ fence }) => fence);
  return [...view.outOfService.values()].map(({ node, terminatingPod }) => {
    if (blocked !== undefined) return { kind: 'keep-taint', node, why: blocked };
    const own = fences.filter(({ nodeName }) => nodeName === node.name);
    return recoverTaint(view, node, terminatingPod, own);
  });
}

/** Decides which nodes may get pods again: those of which every backend says that no fence is left. */
export function decideFencedTaintRemovals(view: ClusterView, policy: Policy, nowMs: number): Cleanup[] {
  const readings = [...view.storage.values()];
  const isComplete = readings.length > 0 && readings.every(({ fences }) => fences !== undefined);
  if (whyNothing(view, policy, nowMs) !== undefined || !isComplete) return [];
  const fences = ownFences(view, policy);
  return view.withFencedTaint
    .filter(
      (node) =>
        view.nodes.get(node.name)?.kind === 'ready' && !fences.some((each) => keepsPodsOff(node, each)),
    )
    .map((node) => ({ kind: 'remove-fenced-taint', node, why: 'No fence of the node is left' }));
}

/** Decides which nodes must not get new pods: every Node that may be a fenced machine, whatever its name, until it is proved clean. */
export function decideFencedTaints(view: ClusterView, policy: Policy, nowMs: number): Cleanup[] {
  const fences = ownFences(view, policy);
  if (fences.length === 0 || whyNothing(view, policy, nowMs) !== undefined) return [];
  return [...view.nodes.values()].flatMap((state): Cleanup[] => {
    if (state.kind === 'gone' || hasFencedTaint(state.node)) return [];
    const { node } = state;
    const fence = fences.find(
      (each) => keepsPodsOff(node, each) && !(node.ready && cleanProof(node, each).isClean),
    );
    return fence ? [{ kind: 'add-fenced-taint', node, why: `Fence ${fence.id} is in force` }] : [];
  });
}

function ownFences(view: ClusterView, policy: Policy): readonly Fence[] {
  const owner = ownerOf(view, policy);
  return fencesIn(view).flatMap(({ fence }) => (foreignTo(fence, owner) === undefined ? [fence] : []));
}

function ownerOf({ clusterId }: ClusterView, { attacher }: Policy): FenceOwner {
  return { owner: attacher, clusterId };
}

/** Why no fence and no taint is removed. */
function whyNothing(
  { cache }: ClusterView,
  { mode, maxCacheAgeMs }: Policy,
  nowMs: number,
): string | undefined {
  if (mode === 'observe') return 'Mode is observe';
  return staleCacheReason(cache, maxCacheAgeMs, nowMs);
}

/** Every fence of ours that the readings show. */
export function fencesIn({
  storage,
}: Pick<ClusterView, 'storage'>): { readonly backendName: string; readonly fence: Fence }[] {
  return [...storage].flatMap(([backendName, { fences = [] }]) =>
    fences.map((fence) => ({ backendName, fence })),
  );
}

function recoverFence(
  view: ClusterView,
  backendName: string,
  fence: Fence,
  all: readonly Fence[],
  owner: FenceOwner,
  untouched: Untouched,
): Cleanup {
  const keep = (why: string): Cleanup => ({ kind: 'keep-fence', backendName, fence, why });
  const foreign = foreignTo(fence, owner);
  if (foreign !== undefined) return keep(foreign);
  const state = view.nodes.get(fence.nodeName);
  if (state?.kind !== 'ready') return keep('Node is not ready');
  const { node } = state;
  if (node.taints.some((taint) => isOtherActor(taint, owner.owner)))
    return keep('Another actor is recovering the node');
  if (isOutOfServiceByUs(node, owner.owner)) return keep('Node still carries our out-of-service taint');
  const mayReturn = (each: Fence) => untouched.has(each.id) && isSameBoot(node, each);
  const proof = cleanProof(node, fence);
  if (!proof.isClean && !mayReturn(fence)) return keep(proof.why);
  const unproved = all.find(
    (other) =>
      isOfSameMachine(other, fence) &&
      foreignTo(other, owner) === undefined &&
      !cleanProof(node, other).isClean &&
      !mayReturn(other),
  );
  if (unproved)
    return keep(
      `Fence ${unproved.id} of the same machine is not proved clean: ${cleanProof(node, unproved).why}`,
    );
  if (proof.isClean) return { kind: 'unfence', backendName, fence, node, why: proof.why };
  const why = `The node is ready again, and nothing was taken from it since fence ${fence.id}`;
  return { kind: 'unfence', backendName, fence, node, why, untouched: untouched.get(fence.id) };
}

function recoverTaint(
  view: ClusterView,
  node: NodeFact,
  terminatingPod: string | undefined,
  fences: readonly Fence[],
): Cleanup {
  const keep = (why: string): Cleanup => ({ kind: 'keep-taint', node, why });
  const isOurs = ({ attachment }: ClusterView['attachments'][number]) => attachment.nodeName === node.name;
  if (view.attachments.some(isOurs)) return keep('VolumeAttachments of ours are left on the node');
  if (terminatingPod !== undefined) return keep(`Pod ${terminatingPod} is still terminating`);
  const booted = node.outOfServiceBootId !== undefined && node.bootId !== undefined;
  if (booted && node.bootId !== node.outOfServiceBootId) {
    return { kind: 'untaint', node, why: 'The node has booted since it was tainted' };
  }
  const proofs = fences.map((fence) => cleanProof(node, fence));
  const [proof] = proofs;
  if (proof && proofs.every(({ isClean }) => isClean)) return { kind: 'untaint', node, why: proof.why };
  return keep('Node is not proved clean: it has not booted since it was tainted');
}
