import { randomBytes } from 'node:crypto';
import type { FenceRecord, StorageBackend } from '@reattach/core';
import { type Check, failed, messageOf, ok } from './check.ts';

/** RFC 5737: reserved for documentation, so no host has it. */
const PROBE_ADDRESS = { kind: 'ip', value: '192.0.2.1' } as const;

export const WRITE_PERMISSION = 'write permission';

/** Proves the write permission: adds a fence of an address that no host has, reads it back, and removes it. */
export async function writeProbe(
  backend: StorageBackend,
  owner: string,
  nowMs: number,
  signal: AbortSignal,
): Promise<Check> {
  const record: FenceRecord = {
    id: randomBytes(4).toString('hex'),
    // No controller takes a fence of another cluster for its own.
    clusterId: 'reattach-doctor',
    owner,
    nodeName: 'reattach-doctor',
    addresses: [PROBE_ADDRESS],
    fencedAtMs: nowMs,
  };
  try {
    await backend.fence(record, record.addresses, signal);
  } catch (err) {
    signal.throwIfAborted();
    return failed(
      WRITE_PERMISSION,
      `The entry ${PROBE_ADDRESS.value} could not be added: ${messageOf(err)}`,
      'Give the user the permission to write: docs/routeros.md, step 1, or deploy/linux-target/README.md',
    );
  }
  try {
    await backend.unfence({ ...record, inForce: record.addresses, seenSinceMs: nowMs }, signal);
  } catch (err) {
    return failed(
      WRITE_PERMISSION,
      `The entry ${PROBE_ADDRESS.value} was added and could not be removed: ${messageOf(err)}`,
      `Remove it by hand; it cuts nothing. Its fence id is ${record.id}`,
    );
  }
  return ok(
    WRITE_PERMISSION,
    `Proved: the entry ${PROBE_ADDRESS.value}, which cuts nothing, was added and removed`,
  );
}
