import { foreignTo, isDeclaredClean } from '../decide/clean-proof.ts';
import type { Decision } from '../decide/decide.ts';
import type { NodeFact, PodFact } from '../model/facts.ts';
import { type Fence, type FenceRecord, isFenceOf } from '../model/fence-record.ts';
import { hasFencedTaint } from '../model/fenced-taint.ts';
import type { Policy } from '../model/policy.ts';
import { addressKey, ipAddresses, type StorageAddress, unionOfAddresses } from '../model/storage-address.ts';
import type { StorageNode } from '../model/storage-query.ts';
import { storageIdentity } from '../model/storage-query.ts';
import type { Clock } from '../ports/clock.ts';
import type { ClusterActions, ClusterReader, Leadership } from '../ports/ports.ts';
import { type AttachmentView, migrationOf, nodeFactOf } from '../view/cluster-view.ts';
import { type LiveLoss, nodeDrift } from './confirm-lost.ts';
import type { DeletedPods } from './deleted-pods.ts';
import { type DetachRequests, type DetachStrategy, strategyFor } from './detach-requests.ts';
import { decisionsOf, type Effect, type LostDecision } from './effect.ts';
import { mapBounded } from './map-bounded.ts';
import { inNodeSpan } from './node-span.ts';
import type { ReleaseVerdicts } from './release-verdicts.ts';
import type { WorkInFlight } from './work-in-flight.ts';

/** Nodes, and writes for one node, that are under way at a time. */
export const MAX_NODES_AT_ONCE = 8;
const MAX_WRITES_AT_ONCE = 8;

/** Fences and releases in flight, by key. */
export type NodeWork = WorkInFlight<readonly Effect[]>;

/** What carrying out a plan works on. */
export interface ExecutePorts {
  readonly cluster: Pick<ClusterReader, 'podsOnNode'>;
  readonly actions: ClusterActions;
  readonly leadership: Leadership;
  readonly clock: Clock;
  readonly inFlight: NodeWork;
  /** Keys that earlier passes had no room for, the one that has waited longest first: they go first, in this order. */
  readonly deferred?: ReadonlySet<string> | undefined;
  /** The lost nodes as the backends know them, by name. */
  readonly storageNodes: ReadonlyMap<string, StorageNode>;
  readonly requests: DetachRequests;
  readonly deletedPods: DeletedPods;
  /** Every attachment there is, at whichever backend. */
  readonly attachments: readonly AttachmentView[];
  readonly verdicts: ReleaseVerdicts;
  /** Fences at the backend of the decisions, as it was read for them. */
  readonly fences: readonly Fence[];
  /** @see FenceOwner */
  readonly clusterId?: string | undefined;
  /** A new name for a fence: 8 hexadecimal digits. */
  readonly newFenceId: () => string;
  readonly policy: Policy;
}

/** How much of a plan was started. */
export interface Started {
  /** `false`: the rest is left to a later pass. */
  readonly isAllStarted: boolean;
  /** @see ExecutePorts.deferred */
  readonly deferred: ReadonlySet<string>;
}

/** The decisions about one node. */
interface NodePlan {
  readonly decisions: readonly [LostDecision, ...LostDecision[]];
  readonly nowMs: number;
  readonly ports: ExecutePorts;
  readonly signal: AbortSignal;
}

/**
 * Begins to carry out what was decided about lost nodes. Nodes are independent of each other, and a slow answer about one keeps
 * nobody from others; the steps for one node are not: fence, then, in a later pass that has read the fence back, pods, then volumes.
 * Each write is preceded by a live look at the Node and at our right to write. Idempotent: cut off anywhere, the next pass does
 * the rest. Work fails only with `signal.reason`; every other failure is an effect.
 * @see design section 5
 */
export function execute(
  decisions: readonly Decision[],
  nowMs: number,
  ports: ExecutePorts,
  signal: AbortSignal,
): Started {
  const turns = new Map([...(ports.deferred ?? [])].map((key, index) => [key, index]));
  const turnOf = ([key]: readonly [string, unknown]) => turns.get(key) ?? turns.size;
  const groups = [...Map.groupBy(decisions.filter(isWork), workKey)].toSorted(
    (a, b) => turnOf(a) - turnOf(b),
  );
  let isAllStarted = true;
  const deferred = new Set<string>();
  for (const [key, [first, ...rest]] of groups) {
    if (!first) continue;
    const isInFlight = ports.inFlight.has(key);
    const work: NodePlan = { decisions: [first, ...rest], nowMs, ports, signal };
    const isStarted = ports.inFlight.start(key, () =>
      first.verdict.kind === 'fence'
        ? inNodeSpan('fence node', work.decisions, () => fenceNode(work))
        : inNodeSpan('release node', work.decisions, () => releaseNode(work)),
    );
    isAllStarted &&= isStarted;
    if (!isStarted && !isInFlight) deferred.add(key);
  }
  return { isAllStarted, deferred };
}

function isWork(decision: Decision): decision is LostDecision {
  return (
    decision.node.kind !== 'ready' &&
    (decision.verdict.kind === 'fence' || decision.verdict.kind === 'release')
  );
}

/** One write to a backend cuts the node off from all of it, so a node is fenced once per backend. */
function workKey({ node, verdict, backend }: LostDecision): string {
  return verdict.kind === 'fence' ? `fence ${node.name} ${backend?.name}` : releaseKey(node.name);
}

/** Under which the release of a node is in flight. */
export function releaseKey(nodeName: string): string {
  return `release ${nodeName}`;
}

async function fenceNode({ decisions, nowMs, ports, signal }: NodePlan): Promise<Effect[]> {
  const [{ node, backend }] = decisions;
  if (!backend) throw new TypeError(`Expected a backend that can fence node ${node.name}`);
  const migrating = ports.attachments.find(
    (view) =>
      view.attachment.nodeName === node.name &&
      view.backend === backend &&
      migrationOf(view, node, nowMs) !== undefined,
  );
  if (migrating) {
    const why = `A fence would also cut off ${migrating.attachment.persistentVolumeName}: ${migrationOf(migrating, node, nowMs)}`;
    return [{ kind: 'postponed', decisions, reason: 'sibling-held', why }];
  }
  try {
    const { changed, live } = await confirm(decisions[0], ports, signal);
    if (changed !== undefined) return [{ kind: 'overtaken', decisions, why: changed }];
    const fact = live ?? nodeFactOf(node);
    const addresses = unionOfAddresses(
      ports.storageNodes.get(node.name)?.addresses ?? [],
      ipAddresses(live?.storageAddresses ?? []),
    );
    const known = ports.fences.find((fence) => isFenceOfLoss(fence, node.name, fact, ports));
    if (known && isComplete(known, addresses)) {
      const why = `Fence ${known.id} already covers boot ${known.bootId ?? 'unknown'}, which our cache does not show yet`;
      return [{ kind: 'overtaken', decisions, why }];
    }
    const fence: FenceRecord = {
      ...(known ?? newRecord(node.name, fact, ports)),
      addresses: unionOfAddresses(known?.addresses ?? [], addresses),
    };
    await backend.fence(fence, addresses, signal);
    return [{ kind: 'fenced', decisions, fence, addresses }];
  } catch (err) {
    signal.throwIfAborted();
    return [{ kind: 'failed', step: 'fence', decisions, err }];
  }
}

function newRecord(
  nodeName: string,
  fact: NodeFact | undefined,
  { newFenceId, clusterId, policy, clock }: ExecutePorts,
): Omit<FenceRecord, 'addresses'> {
  return {
    id: newFenceId(),
    ...(clusterId !== undefined && { clusterId }),
    owner: policy.attacher,
    nodeName,
    ...(fact && { nodeUid: fact.uid }),
    ...(fact?.machineId !== undefined && { machineId: fact.machineId }),
    ...(fact?.bootId !== undefined && { bootId: fact.bootId }),
    fencedAtMs: clock.now(),
  };
}

/**
 * The fence to complete rather than to renew: of this very boot and Node, and of no earlier loss, which an operator's
 * annotation would prove clean.
 */
function isFenceOfLoss(
  fence: Fence,
  nodeName: string,
  fact: NodeFact | undefined,
  { clusterId, policy }: ExecutePorts,
): boolean {
  const owner = { owner: policy.attacher, ...(clusterId !== undefined && { clusterId }) };
  if (fence.nodeName !== nodeName || foreignTo(fence, owner) !== undefined) return false;
  if (!fact) return true;
  return (
    fence.bootId === fact.bootId &&
    isFenceOf(fence, storageIdentity(fact), owner) &&
    !isDeclaredClean(fact, fence)
  );
}

function isComplete({ inForce, damage }: Fence, addresses: readonly StorageAddress[]): boolean {
  const cutOff = new Set(inForce.map(addressKey));
  return damage === undefined && addresses.every((address) => cutOff.has(addressKey(address)));
}

/** Pods first: while one exists, the attach-detach controller makes the VolumeAttachment for the dead node again. */
async function releaseNode(work: NodePlan): Promise<Effect[]> {
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
  return [...effects, ...(await detach(free, work))];
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
  return confirmed('add-fenced-taint', decisions, work, async (): Promise<Effect | undefined> => {
    const result = await ports.actions.addFencedTaint(node.node, signal);
    const isMarked = result === 'changed' || result === 'unchanged';
    return isMarked ? undefined : { kind: 'overtaken', decisions, why: `The Node is ${result}` };
  });
}

function usedBy(pod: PodFact): (view: AttachmentView) => boolean {
  return ({ volume }) =>
    volume?.claim?.namespace === pod.namespace && pod.claimNames.includes(volume.claim.name);
}

/** A pod that is gone lets go of all its volumes, so it stays while one of ours may not go. */
async function deletePod(pod: PodFact, work: NodePlan): Promise<Effect | undefined> {
  const { ports, signal } = work;
  const decisions = work.decisions.filter(usedBy(pod));
  const foreign = foreignClaim(pod, work);
  if (foreign !== undefined) {
    const why = `Pod ${pod.name} also uses claim ${foreign}, whose volume is not ours, and nothing fences that one`;
    return { kind: 'postponed', decisions, reason: 'sibling-held', why };
  }
  const held = heldBack(work).find(usedBy(pod));
  if (held) {
    const why = `Pod ${pod.name} also uses a volume that may not go: ${held.attachment.persistentVolumeName}`;
    return { kind: 'postponed', decisions, reason: 'sibling-held', why };
  }
  const stays = ports.deletedPods.whyItStays(pod);
  if (stays !== undefined) return { kind: 'postponed', decisions, reason: 'pod-stays', why: stays };
  return confirmed('delete-pod', decisions, work, async (): Promise<Effect | undefined> => {
    const result = await ports.actions.forceDeletePod(pod, signal);
    if (result === 'deleted') ports.deletedPods.record(pod);
    return result === 'deleted' ? { kind: 'pod-deleted', decisions, pod } : undefined;
  });
}

/** A claim of the pod whose volume no fence of ours protects; `undefined` when there is none or the operator opted in. */
function foreignClaim(pod: PodFact, { decisions: [{ node }], ports }: NodePlan): string | undefined {
  if (ports.policy.otherDrivers === 'release-pods') return undefined;
  const own = ports.attachments.filter(
    ({ attachment }) => attachment.nodeName === node.name && attachment.attacher === ports.policy.attacher,
  );
  return pod.claimNames.find(
    (name) =>
      !own.some(({ volume }) => volume?.claim?.namespace === pod.namespace && volume.claim.name === name),
  );
}

/** What is attached to the node by our attacher, is not on its way out and was not decided to be released. */
function heldBack({ decisions: [{ node }], ports }: NodePlan): readonly AttachmentView[] {
  return ports.attachments.filter(
    ({ attachment }) =>
      attachment.nodeName === node.name &&
      attachment.attacher === ports.policy.attacher &&
      attachment.deletingSinceMs === undefined &&
      !ports.verdicts.isReleasable(attachment.uid, ports.clock.now()),
  );
}

async function detach(decisions: readonly LostDecision[], work: NodePlan): Promise<Effect[]> {
  const { nowMs, ports } = work;
  // The taint drives every volume off the node: until all may go, those that may are taken out one by one.
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
  return confirmed('detach', [decision], work, async () => {
    const result = await unlessUnsure([decision], 'delete', ports, () =>
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
  const effect = await confirmed('detach', decisions, work, async () => {
    if (node.kind === 'gone')
      throw new TypeError(`Expected Node ${node.name} to exist for strategy ${strategy}`);
    const { actions, policy } = ports;
    const result = await unlessUnsure(decisions, strategy, ports, () =>
      strategy === 'in-use'
        ? actions.removeVolumesInUse(node.node, policy.attacher, handlesOf(decisions), signal)
        : actions.addOutOfServiceTaint(node.node, signal),
    );
    results.push(...decisions.map((decision) => detachEffect(decision, strategy, result, ports)));
    return undefined;
  });
  return effect ? [effect] : results;
}

/** Remembers a detach of which nobody knows whether it was carried out. */
async function unlessUnsure<R>(
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

/** What one write came to for one of the volumes it was for: it changes something when it does so for any of them. */
function detachEffect(
  decision: LostDecision,
  strategy: DetachStrategy,
  result: DeleteOrChange,
  { requests, clock }: ExecutePorts,
): Effect {
  const { uid } = decision.attachment;
  const isDone = result === 'changed' || (result !== 'replaced' && requests.isUnsure(uid));
  const order = requests.record(uid, strategy, clock.now());
  if (result === 'replaced') {
    return { kind: 'overtaken', decisions: [decision], why: 'Another object has the name now' };
  }
  if (!isDone || order === 'again') return { kind: 'detaching', decision, strategy };
  return { kind: order === 'first' ? 'detach-requested' : 'fell-back', decision, strategy };
}

type DeleteOrChange = 'changed' | 'unchanged' | 'gone' | 'replaced';

/**
 * Runs `write` once the Node is confirmed lost, the right to write is ours and no later pass has decided otherwise; says what
 * kept it from running.
 */
async function confirmed<E extends Effect | undefined>(
  step: 'add-fenced-taint' | 'delete-pod' | 'detach',
  decisions: readonly LostDecision[],
  { ports, signal }: NodePlan,
  write: () => Promise<E>,
): Promise<E | Effect> {
  const [decision] = decisions;
  if (!decision) throw new TypeError('Expected a decision to confirm');
  try {
    const { changed } = await confirm(decision, ports, signal);
    if (changed !== undefined) return { kind: 'overtaken', decisions, why: changed };
    const withdrawn = decisions.find(
      ({ attachment: { uid } }) => !ports.verdicts.isReleasable(uid, ports.clock.now()),
    );
    if (withdrawn) {
      const why = `${withdrawn.attachment.name} may no longer be released, a later look says`;
      return { kind: 'overtaken', decisions, why };
    }
    return await write();
  } catch (err) {
    signal.throwIfAborted();
    return { kind: 'failed', step, decisions, err };
  }
}

/** @throws when the live facts cannot be read, or when we may not write. */
async function confirm(
  { node }: LostDecision,
  { actions, leadership }: ExecutePorts,
  signal: AbortSignal,
): Promise<LiveLoss> {
  leadership.assertHeld();
  const loss = await nodeDrift(node, actions, signal);
  leadership.assertHeld();
  return loss;
}
