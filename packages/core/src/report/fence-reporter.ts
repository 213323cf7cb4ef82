import { ownAddressKeys } from '../decide/clean-proof.ts';
import type { Cleanup } from '../decide/cleanups.ts';
import type { Effect } from '../execute/effect.ts';
import type { NodeFact } from '../model/facts.ts';
import type { Fence } from '../model/fence-record.ts';
import { addressKey, describeAddresses } from '../model/storage-address.ts';
import type { PassReport } from '../pass/pass-report.ts';
import type { Logger } from '../ports/logger.ts';
import type { ClusterEvent } from '../ports/ports.ts';
import { fieldsOf, nodeEvent } from './cluster-events.ts';

type EffectOf<K extends Effect['kind']> = Extract<Effect, { readonly kind: K }>;

/** Where a reporter writes. */
export interface Outlets {
  readonly logger: Logger;
  /** Records an Event; does not wait for it. */
  readonly record: (event: ClusterEvent, signal: AbortSignal) => void;
}

/** Reports what happened to fences and taints. */
export class FenceReporter {
  readonly #logger: Logger;
  readonly #record: Outlets['record'];

  constructor({ logger, record }: Outlets) {
    this.#logger = logger;
    this.#record = record;
  }

  fenced(
    { decisions: [decision], fence, addresses }: EffectOf<'fenced'>,
    reconcileID: string,
    signal: AbortSignal,
  ): void {
    const backend = decision?.backend?.name;
    this.#logger.info('Fenced node', {
      ...(decision && fieldsOf(decision)),
      backend,
      fence,
      addresses,
      reconcileID,
    });
    const message = `Cut node ${fence.nodeName} off from storage backend ${backend} (fence ${fence.id})`;
    this.#record(nodeEvent(fence, 'NodeFenced', message), signal);
  }

  restored(
    effect: EffectOf<'fence-restored' | 'restore-failed'>,
    reconcileID: string,
    signal: AbortSignal,
  ): void {
    const { backendName: backend, fence, why } = effect;
    const err = effect.kind === 'restore-failed' ? effect.err : undefined;
    const isRestored = effect.kind === 'fence-restored';
    const message = isRestored ? 'Restored fence that was removed' : 'Could not restore fence';
    this.#logger.error(message, { node: fence.nodeName, fence, backend, why, err, reconcileID });
    const what = isRestored ? 'was put back' : 'could not be put back; it is tried again';
    const note = `Fence ${fence.id} of node ${fence.nodeName} at storage backend ${backend} was removed or weakened by another party and ${what}. ${why}`;
    this.#record({ ...nodeEvent(fence, 'NodeFenced', note), type: 'Warning' }, signal);
  }

  /** @param before the report of the pass before; absent: the first */
  cutOff(before: PassReport | undefined, report: PassReport, signal: AbortSignal): void {
    const known = new Set(cutOffNodes(before).map(({ key }) => key));
    for (const { key, node, fence, backendName: backend } of cutOffNodes(report)) {
      const own = ownAddressKeys(node);
      const addresses = describeAddresses(fence.inForce.filter((address) => own.has(addressKey(address))));
      const message = `Address ${addresses} of this node, ${node.name}, is fenced for node ${fence.nodeName} at storage backend ${backend} (fence ${fence.id}): the node cannot reach its volumes there. Give one of the nodes another address, or lift the fence once its node is powered off`;
      const regarding = { kind: 'Node', namespace: '', name: node.name, uid: node.uid } as const;
      this.#record({ type: 'Warning', reason: 'NodeAddressFenced', message, regarding }, signal);
      if (known.has(key)) continue;
      const fields = { node: node.name, nodeUid: node.uid, backend, fence, reconcileID: report.reconcileId };
      this.#logger.error('Found node whose address is fenced for another node', fields);
    }
  }

  forgotten({ fence, backendName: backend }: EffectOf<'fence-forgotten'>, reconcileID: string): void {
    this.#logger.info('Forgot fence that was removed', {
      node: fence.nodeName,
      fence,
      backend,
      reconcileID,
    });
  }

  cleanedUp(
    { kind, cleanup }: EffectOf<'unfenced' | 'untainted' | 'fenced-taint-added' | 'fenced-taint-removed'>,
    reconcileID: string,
    signal: AbortSignal,
  ): void {
    if ('fence' in cleanup) {
      const { fence, backendName: backend, why } = cleanup;
      this.#logger.info('Unfenced node', { node: fence.nodeName, backend, fence, why, reconcileID });
      const message = `Let node ${fence.nodeName} back to storage backend ${backend}: ${why}`;
      this.#record(nodeEvent(fence, 'NodeUnfenced', message), signal);
      return;
    }
    const fields = { node: cleanup.node.name, why: cleanup.why, reconcileID };
    if (kind === 'fenced-taint-added') {
      this.#logger.info('Added fenced taint', fields);
      return;
    }
    const message = kind === 'fenced-taint-removed' ? 'Removed fenced taint' : 'Removed out-of-service taint';
    this.#logger.info(message, fields);
  }
}

/** Identifies a cleanup between passes. */
export function cleanupKey(cleanup: Cleanup): string {
  const what = 'fence' in cleanup ? `${cleanup.backendName} ${cleanup.fence.id}` : cleanup.node.name;
  return `${cleanup.kind} ${what}`;
}

interface CutOffNode {
  readonly node: NodeFact;
  readonly fence: Fence;
  readonly backendName: string;
  /** Identifies it between passes. */
  readonly key: string;
}

/** The Ready nodes that fences of other nodes cut off. */
function cutOffNodes(report: PassReport | undefined): readonly CutOffNode[] {
  return (report?.cleanups ?? []).flatMap((cleanup) => {
    if (cleanup.kind !== 'keep-fence') return [];
    const { cutsOff = [], fence, backendName } = cleanup;
    return cutsOff.map((node) => ({
      node,
      fence,
      backendName,
      key: `${node.uid} ${backendName} ${fence.id}`,
    }));
  });
}
