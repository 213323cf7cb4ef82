import { cleanProof } from '../decide/clean-proof.ts';
import type { FenceRecord } from '../model/fence-record.ts';
import type { FenceRecords } from '../ports/fence-records.ts';
import type { ClusterActions, Leadership } from '../ports/ports.ts';
import type { StorageBackend } from '../ports/storage-backend.ts';
import type { Effect } from './effect.ts';

/**
 * Puts back fences that others removed or disabled, unless their node is proved clean by now: a host that was cut off
 * writes its dirty pages as soon as it reconnects. A fence whose record is gone was lifted on purpose, such as by `reattach unfence`.
 * @throws `signal.reason` when aborted; every other failure is an effect
 */
export async function restoreFences(
  missing: readonly { readonly record: FenceRecord; readonly why: string }[],
  backend: StorageBackend,
  {
    actions,
    leadership,
    fenceRecords,
  }: {
    readonly actions: ClusterActions;
    readonly leadership: Leadership;
    readonly fenceRecords?: FenceRecords;
  },
  signal: AbortSignal,
): Promise<Effect[]> {
  const effects: Effect[] = [];
  for (const { record, why } of missing) {
    const restored = { backendName: backend.name, fence: record, why };
    try {
      leadership.assertHeld();
      const recorded = await fenceRecords?.read(signal);
      if (recorded && !recorded.get(backend.name)?.some(({ id }) => id === record.id)) {
        effects.push({ kind: 'fence-forgotten', ...restored });
        continue;
      }
      const live = await actions.getNode(record.nodeName, signal);
      if (live.kind === 'present' && live.node.ready && cleanProof(live.node, record).isClean) {
        await fenceRecords?.remove(backend.name, record.id, signal);
        effects.push({ kind: 'fence-forgotten', ...restored });
        continue;
      }
      leadership.assertHeld();
      await backend.fence(record, record.addresses, signal);
      effects.push({ kind: 'fence-restored', ...restored });
    } catch (err) {
      signal.throwIfAborted();
      effects.push({ kind: 'restore-failed', ...restored, err });
    }
  }
  return effects;
}
