import type { FenceState } from '../model/fence-state.ts';
import type { NodeEvidence } from '../model/storage-reading.ts';
import type { AttachmentView, NodeState } from './cluster-view.ts';

/** Longest time that a live migration reported by KubeVirt holds up the release of a lost node, ms: its source may be dead. */
export const MAX_MIGRATION_MS = 300_000;

/** A node that may take part in a live migration, and what is known about whether it still can. */
export interface MigrationEnd {
  readonly node: NodeState;
  readonly evidence: Pick<NodeEvidence, 'kind'>;
  readonly fence: Pick<FenceState, 'kind'>;
}

/**
 * Why the volume must not be touched for now: it moves from one node to another. A lost node that the backend proves silent or cut
 * off cannot finish a migration, so it waits for none.
 */
export function migrationOf(
  { migrationUntilMs, vmMigrating }: Pick<AttachmentView, 'migrationUntilMs' | 'vmMigrating'>,
  { node, evidence, fence }: MigrationEnd,
  nowMs: number,
): string | undefined {
  const isLost = node.kind !== 'ready';
  if (isLost && (evidence.kind === 'silent' || fence.kind === 'effective')) return undefined;
  if (migrationUntilMs !== undefined && migrationUntilMs > nowMs) return 'Volume is in a live migration';
  const isOverdue = isLost && nowMs - node.sinceMs >= MAX_MIGRATION_MS;
  return vmMigrating && !isOverdue
    ? 'KubeVirt is migrating a virtual machine that uses the volume'
    : undefined;
}
