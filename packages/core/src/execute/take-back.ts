import type { Recovery } from '../decide/recover.ts';
import type { ClusterActions, Leadership, StorageFleet } from '../ports/ports.ts';
import type { Effect } from './effect.ts';
import { type NodeWorks, releaseKey } from './execute.ts';
import { mapBounded } from './map-bounded.ts';

const MAX_WRITES_AT_ONCE = 8;

type DueRecovery = Extract<Recovery, { readonly kind: 'unfence' | 'untaint' | 'unmark' }>;

/** What taking back works on. */
export interface TakeBackPorts {
  readonly actions: ClusterActions;
  readonly leadership: Leadership;
  readonly fleet: Pick<StorageFleet, 'boxes'>;
  readonly works: NodeWorks;
}

/**
 * Removes the fences and taints that were decided to go, each after a live look at the Node: still the same object,
 * booted as often as when it was proved clean and, to get a fence removed, still Ready. A node whose release is under way waits.
 * @throws `signal.reason` when aborted; every other failure is an effect.
 */
export async function takeBack(
  recoveries: readonly Recovery[],
  ports: TakeBackPorts,
  signal: AbortSignal,
): Promise<Effect[]> {
  const due = recoveries.filter(
    (recovery): recovery is DueRecovery =>
      recovery.kind !== 'keep-fence' &&
      recovery.kind !== 'keep-taint' &&
      !ports.works.has(releaseKey(recovery.node.name)),
  );
  const effects = await mapBounded(due, MAX_WRITES_AT_ONCE, async (recovery): Promise<Effect[]> => {
    try {
      return await takeOneBack(recovery, ports, signal);
    } catch (err) {
      signal.throwIfAborted();
      return [{ kind: 'recovery-failed', recovery, err }];
    }
  });
  return effects.flat();
}

async function takeOneBack(
  recovery: DueRecovery,
  { actions, leadership, fleet }: TakeBackPorts,
  signal: AbortSignal,
): Promise<Effect[]> {
  const { node } = recovery;
  leadership.assertHeld();
  const live = await actions.getNode(node.name, signal);
  const isSame = live.kind === 'present' && live.node.uid === node.uid && live.node.bootId === node.bootId;
  if (!isSame) return [];
  leadership.assertHeld();
  if (recovery.kind === 'untaint') {
    const result = await actions.removeOutOfServiceTaint(node, signal);
    return result === 'changed' ? [{ kind: 'untainted', recovery }] : [];
  }
  if (recovery.kind === 'unmark') {
    const result = await actions.removeFencedTaint(node, signal);
    return result === 'changed' ? [{ kind: 'unmarked', recovery }] : [];
  }
  const box = fleet.boxes.find(({ name }) => name === recovery.boxName);
  if (!live.node.ready || !box) return [];
  await box.unfence(recovery.fence, signal);
  return [{ kind: 'unfenced', recovery }];
}
