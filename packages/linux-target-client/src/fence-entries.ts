import type { FenceRecord } from '@reattach/core';
import type { FenceEntry } from '@reattach/tcp-evidence';
import type { FenceTable } from './reply/fence-table.ts';

/** Each recorded address, and whether the table really drops it. An entry of the table without a record is not ours. */
export function fenceEntries(records: readonly FenceRecord[], table: FenceTable): readonly FenceEntry[] {
  return records.flatMap((record) =>
    record.addresses.map((address) => ({
      record,
      address,
      standing: table.addresses.has(address.value) ? ('in-force' as const) : ('disabled' as const),
    })),
  );
}
