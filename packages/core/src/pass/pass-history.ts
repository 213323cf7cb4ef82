import type { Facts } from '../decide/evaluation-facts.ts';
import { DeletedPods } from '../execute/deleted-pods.ts';
import { DetachRequests } from '../execute/detach-requests.ts';
import type { Effect } from '../execute/effect.ts';
import { ReleaseVerdicts } from '../execute/release-verdicts.ts';
import { staleCacheReason } from '../model/cache-freshness.ts';
import type { VolumeAttachmentFact } from '../model/facts.ts';
import type { Policy } from '../model/policy.ts';
import type { StorageAddress } from '../model/storage-address.ts';
import type { StorageReading } from '../model/storage-reading.ts';
import type { UnreadView } from '../view/cluster-view.ts';
import { countedLosses, LossHistory } from '../view/loss-history.ts';
import { NodeAbsence } from '../view/node-absence.ts';
import { lostIn } from '../view/storage-query.ts';
import { ReleaseProgress } from './release-progress.ts';
import { StandingFences } from './standing-fences.ts';

type HistoryPolicy = Pick<Policy, 'attacher' | 'breaker' | 'maxCacheAgeMs'>;

/**
 * Everything that passes remember from one to the next. A restart loses it, and each field says what that costs: never safety,
 * because what was done is recorded at the backends and in Kubernetes.
 */
export class PassHistory {
  /** Since when Nodes have been missing or NotReady. After a restart the grace starts again. */
  readonly absences: NodeAbsence = new NodeAbsence();
  /** Nodes that were lost within the breaker's window. After a restart only nodes that are still lost count. */
  readonly losses: LossHistory;
  /** Since when and how each detach has been requested. After a restart the time until the fall-back starts again. */
  readonly detachRequests: DetachRequests = new DetachRequests();
  /** Pods that releases deleted. After a restart a few are deleted again. */
  readonly deletedPods: DeletedPods = new DeletedPods();
  /** Attachments whose last decision is `release`. After a restart nothing is released before it is decided again. */
  readonly verdicts: ReleaseVerdicts = new ReleaseVerdicts();
  /** What each backend answered to the last pass that asked it, by name. After a restart the next pass asks. */
  readonly answers: Map<string, StorageReading> = new Map();
  /**
   * Backends whose fences may have changed since they were read, by name; each change is another symbol. After a restart every
   * backend is read before a taint is removed.
   */
  readonly unreadFences: Map<string, symbol> = new Map();
  /** Fences of ours that passes made or read, to notice those that others remove. After a restart the first reading says. */
  readonly standingFences: StandingFences = new StandingFences();
  /** How far the release of each lost node has come. After a restart a node that returns needs a boot to be let back. */
  readonly progress: ReleaseProgress = new ReleaseProgress();
  /** Addresses that an earlier process recorded for nodes that no cache knows, by name of the node. Read again when needed. */
  readonly recordedAddresses: Map<string, readonly StorageAddress[]> = new Map();
  readonly #policy: HistoryPolicy;

  constructor(policy: HistoryPolicy) {
    this.#policy = policy;
    this.losses = new LossHistory(policy.breaker.windowMs);
  }

  /**
   * Records what a view of the caches shows.
   * @param attachments all VolumeAttachments; called when needed
   * @returns detaches with an unconfirmed outcome whose VolumeAttachments are gone by now
   */
  recordView(
    view: UnreadView,
    attachments: () => Iterable<VolumeAttachmentFact>,
    nowMs: number,
  ): readonly Effect[] {
    const isCurrent = staleCacheReason(view.cache, this.#policy.maxCacheAgeMs, nowMs) === undefined;
    this.absences.recordView(view.nodes, isCurrent, nowMs);
    this.losses.record(isCurrent ? countedLosses(view) : new Map(), nowMs);
    const lost = new Set(lostIn(view).map(({ attachment }) => attachment.uid));
    const confirmed = isCurrent
      ? this.detachRequests.takeConfirmed(() => [...attachments()].map(({ uid }) => uid))
      : [];
    const { attacher } = this.#policy;
    this.progress.recordView(view, () => [...attachments()].filter((each) => each.attacher === attacher));
    this.detachRequests.retainOnly(lost);
    this.verdicts.retainOnly(lost);
    this.deletedPods.retainOnly(new Set(view.storageNodes.keys()));
    for (const name of this.recordedAddresses.keys())
      if (view.storageNodes.get(name)?.addressesFrom !== 'pods') this.recordedAddresses.delete(name);
    return confirmed;
  }

  /** The view with what is remembered at this moment. Changes nothing. */
  factsOf(view: UnreadView, backends: readonly { readonly name: string }[], nowMs: number): Facts {
    const isCurrent = staleCacheReason(view.cache, this.#policy.maxCacheAgeMs, nowMs) === undefined;
    return {
      ...view,
      // A stale cache may lack Nodes that exist, so what it lacks does not count as lost.
      recentLosses: this.losses.including(isCurrent ? countedLosses(view) : new Map(), nowMs),
      backends: backends.map(({ name }) => name),
      unreadFences: new Set(this.unreadFences.keys()),
      fencedNodes: this.standingFences.nodesByBackend,
      untouched: this.progress.untouched,
      recordedAddresses: new Map(this.recordedAddresses),
    };
  }

  /** Records a fence that was made or removed, and that its backend has to be read again. */
  recordEffect(effect: Effect): void {
    const [decision] = 'decisions' in effect ? effect.decisions : [];
    if (effect.kind === 'fenced' && decision?.backend)
      this.standingFences.made(decision.backend.name, effect.fence);
    if (effect.kind === 'fenced' && effect.isFirst) this.progress.fenced(effect.fence);
    if (effect.kind === 'unfenced' && 'fence' in effect.cleanup) this.progress.unfenced(effect.cleanup.fence);
    if (effect.kind === 'unfenced' && 'fence' in effect.cleanup)
      this.standingFences.removed(effect.cleanup.backendName, effect.cleanup.fence.id);
    if (effect.kind === 'cleanup-failed' && 'fence' in effect.cleanup)
      this.standingFences.recordLost(effect.cleanup.backendName, effect.cleanup.fence.id);
    if (effect.kind === 'fence-forgotten') this.standingFences.removed(effect.backendName, effect.fence.id);
    const backendName = changedBackend(effect);
    if (backendName !== undefined) this.unreadFences.set(backendName, Symbol(backendName));
  }

  /**
   * A term of leadership begins. Passes ran in another process or not at all since the last one, so what was observed before
   * no longer counts.
   * @param backends those that were read already: what they hold may have changed
   */
  beginTerm(backends: readonly { readonly name: string }[]): void {
    this.absences.retainOnly(new Set());
    this.standingFences.clear();
    this.progress.clear();
    for (const { name } of backends) this.unreadFences.set(name, Symbol(name));
  }
}

/** Name of the backend at which a fence was, or may have been, made or removed. */
export function changedBackend(effect: Effect): string | undefined {
  if (effect.kind === 'fence-restored' || effect.kind === 'restore-failed') return effect.backendName;
  if (effect.kind === 'fenced' || (effect.kind === 'failed' && effect.step === 'fence'))
    return effect.decisions[0]?.backend?.name;
  return effect.kind === 'unfenced' && 'fence' in effect.cleanup ? effect.cleanup.backendName : undefined;
}
