import { cleanProof } from '../decide/clean-proof.ts';
import type { FenceRecord } from '../model/fence-record.ts';
import type { FenceRecords } from '../ports/fence-records.ts';
import type { ClusterActions, Leadership } from '../ports/ports.ts';
import type { StorageBackend } from '../ports/storage-backend.ts';
import type { Effect } from './effect.ts';
import { mapBounded } from './map-bounded.ts';
import { MAX_WRITES_AT_ONCE } from './node-plan.ts';

/** A fence that a reading should show and does not. `isRecorded`: @see FenceRecords */
interface Missing {
  readonly record: FenceRecord;
  readonly why: string;
  readonly isRecorded: boolean;
}

/** What the restoration of fences needs. */
interface RestorePorts {
  readonly actions: ClusterActions;
  readonly leadership: Leadership;
  readonly fenceRecords?: FenceRecords;
}

/**
 * Puts back fences that others removed or disabled, unless their node is proved clean by now: a host that was cut off
 * writes its dirty pages as soon as it reconnects. A fence whose record is gone was lifted on purpose, such as by `reattach unfence`.
 * One that never had a record is put back.
 * @throws `signal.reason` when aborted; every other failure is an effect
 */
export async function restoreFences(
  missing: readonly Missing[],
  backend: StorageBackend,
  ports: RestorePorts,
  signal: AbortSignal,
): Promise<Effect[]> {
  return await mapBounded(missing, MAX_WRITES_AT_ONCE, async (each): Promise<Effect> => {
    const { record: fence, why } = each;
    try {
      const kind = await restoreOne(each, backend, ports, signal);
      return { kind, backendName: backend.name, fence, why };
    } catch (err) {
      signal.throwIfAborted();
      return { kind: 'restore-failed', backendName: backend.name, fence, why, err };
    }
  });
}

async function restoreOne(
  { record, isRecorded }: Missing,
  backend: StorageBackend,
  { actions, leadership, fenceRecords }: RestorePorts,
  signal: AbortSignal,
): Promise<'fence-restored' | 'fence-forgotten'> {
  leadership.assertHeld();
  const records = isRecorded ? await fenceRecords?.read(signal) : undefined;
  if (records && !records.get(backend.name)?.some(({ id }) => id === record.id)) return 'fence-forgotten';
  const live = await actions.getNode(record.nodeName, signal);
  leadership.assertHeld();
  if (live.kind === 'present' && live.node.ready && cleanProof(live.node, record).isClean) {
    await fenceRecords?.remove(backend.name, record.id, signal);
    return 'fence-forgotten';
  }
  await backend.fence(record, record.addresses, signal);
  return 'fence-restored';
}
