import type { StorageVolume } from '@reattach/core';
import type { Export } from './snapshot.ts';

/**
 * The export of a volume: by NQN (`volumeAttributes.nqn`) first, then by slot. A slot that carries another NQN than the
 * volume names belongs to another driver.
 */
export function matchVolume(
  { volumeHandle, volumeAttributes }: StorageVolume,
  exports: readonly Export[],
): Export | undefined {
  const { nqn } = volumeAttributes;
  const byNqn = nqn === undefined ? undefined : exports.find((candidate) => candidate.nqn === nqn);
  if (byNqn) return byNqn;
  const bySlot = exports.find(({ slot }) => slot === volumeHandle);
  return nqn === undefined || bySlot?.hasOwnNqn === false ? bySlot : undefined;
}
