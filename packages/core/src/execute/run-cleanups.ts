import { cleanProof, isSameBoot } from '../decide/clean-proof.ts';
import type { Cleanup } from '../decide/cleanups.ts';
import type { NodeFact } from '../model/facts.ts';
import type { FenceRecords } from '../ports/fence-records.ts';
import type { ClusterActions, Leadership, StorageFleet } from '../ports/ports.ts';
import type { Effect } from './effect.ts';
import { releaseKey } from './execute.ts';
import { mapBounded } from './map-bounded.ts';
import { MAX_WRITES_AT_ONCE, type NodeWork } from './node-plan.ts';

type DueCleanup = Extract<
  Cleanup,
  { readonly kind: 'unfence' | 'untaint' | 'add-fenced-taint' | 'remove-fenced-taint' }
>;

/** What cleanups need. */
export interface CleanupPorts {
  readonly actions: ClusterActions;
  readonly leadership: Leadership;
  readonly fleet: Pick<StorageFleet, 'backends'>;
  readonly inFlight: NodeWork;
  readonly fenceRecords?: FenceRecords;
}

/**
 * Removes the fences and taints that were decided to go, each after a live read of the Node: it must be the same object in the
 * same boot and, to have a fence removed, still Ready. A node whose release is in flight waits. Adds fenced taints.
 * @throws `signal.reason` when aborted; every other failure is an effect.
 */
export async function runCleanups(
  cleanups: readonly Cleanup[],
  ports: CleanupPorts,
  signal: AbortSignal,
): Promise<Effect[]> {
  const due = cleanups.filter(
    (cleanup): cleanup is DueCleanup =>
      cleanup.kind !== 'keep-fence' &&
      cleanup.kind !== 'keep-taint' &&
      (cleanup.kind === 'add-fenced-taint' || !ports.inFlight.has(releaseKey(cleanup.node.name))),
  );
  const effects = await mapBounded(due, MAX_WRITES_AT_ONCE, async (cleanup): Promise<Effect[]> => {
    try {
      return await runCleanup(cleanup, ports, signal);
    } catch (err) {
      signal.throwIfAborted();
      return [{ kind: 'cleanup-failed', cleanup, err }];
    }
  });
  return effects.flat();
}

async function runCleanup(
  cleanup: DueCleanup,
  { actions, leadership, fleet, fenceRecords }: CleanupPorts,
  signal: AbortSignal,
): Promise<Effect[]> {
  const { node } = cleanup;
  leadership.assertHeld();
  const live = await actions.getNode(node.name, signal);
  const isSame = live.kind === 'present' && live.node.uid === node.uid && live.node.bootId === node.bootId;
  if (!isSame) return [];
  leadership.assertHeld();
  if (cleanup.kind === 'untaint') {
    const result = await actions.removeOutOfServiceTaint(node, signal);
    return result === 'changed' ? [{ kind: 'untainted', cleanup }] : [];
  }
  if (cleanup.kind === 'add-fenced-taint') {
    const result = await actions.addFencedTaint(node, signal);
    return result === 'changed' ? [{ kind: 'fenced-taint-added', cleanup }] : [];
  }
  if (cleanup.kind === 'remove-fenced-taint') {
    const result = await actions.removeFencedTaint(node, signal);
    return result === 'changed' ? [{ kind: 'fenced-taint-removed', cleanup }] : [];
  }
  const backend = fleet.backends.find(({ name }) => name === cleanup.backendName);
  if (!live.node.ready || !backend || !(await mayReturn(live.node, cleanup, actions, signal))) return [];
  leadership.assertHeld();
  // The record goes first: after a crash between the two the backend still shows the fence, and nothing puts it back later.
  if (fenceRecords) {
    await fenceRecords.remove(backend.name, cleanup.fence.id, signal);
    leadership.assertHeld();
  }
  await backend.unfence(cleanup.fence, signal);
  return [{ kind: 'unfenced', cleanup }];
}

/** Reads live what the removal of the fence rests on: the Node, or that each volume is still attached to it. */
async function mayReturn(
  live: NodeFact,
  { fence, untouched = [] }: Extract<DueCleanup, { readonly kind: 'unfence' }>,
  actions: ClusterActions,
  signal: AbortSignal,
): Promise<boolean> {
  if (cleanProof(live, fence).isClean) return true;
  if (untouched.length === 0 || !isSameBoot(live, fence)) return false;
  const attached = await mapBounded(untouched, MAX_WRITES_AT_ONCE, (each) =>
    actions.isAttached(each, signal),
  );
  return attached.every(Boolean);
}
