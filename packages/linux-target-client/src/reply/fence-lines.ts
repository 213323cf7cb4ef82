import type { FenceRecord } from '@reattach/core';
import { canonicalIp } from '@reattach/tcp-evidence';
import type { Section } from './reply.ts';

/** Keys of a fence record at the target, by the field they carry. */
const KEYS = {
  clusterId: 'cluster',
  owner: 'owner',
  nodeName: 'node',
  nodeUid: 'uid',
  machineId: 'machine',
  bootId: 'boot',
} as const;

/** Text that can stand in a record: `deploy/linux-target/PROTOCOL.md`, "Requests". */
const STORABLE = /^[A-Za-z0-9.,:_/+-]+$/;

/** The words of a record. @throws {TypeError} naming a value that cannot be stored as it is */
export function formatRecord(record: FenceRecord): readonly string[] {
  const words = [`id=${record.id}`];
  for (const [field, key] of Object.entries(KEYS) as [keyof typeof KEYS, string][]) {
    const value = record[field];
    if (value === undefined) continue;
    if (!STORABLE.test(value))
      throw new TypeError(`${field} "${value}" has a character that the target refuses`);
    words.push(`${key}=${value}`);
  }
  return [...words, `at=${Math.trunc(record.fencedAtMs)}`];
}

/** Records by id, with the addresses listed for each; and lines that were not understood. */
export interface ParsedRecords {
  readonly records: readonly FenceRecord[];
  readonly skipped: readonly string[];
}

/** Parses the section `fences`: one line per entry (address and id). */
export function parseRecords({ lines }: Section): ParsedRecords {
  const records = new Map<string, FenceRecord>();
  const skipped: string[] = [];
  for (const line of lines) {
    const [text = '', words = ''] = line.split('\t');
    const address = canonicalIp(text);
    const values = new Map(
      words.split(' ').map((word) => [word.slice(0, word.indexOf('=')), word.slice(word.indexOf('=') + 1)]),
    );
    const [id, nodeName, at] = ['id', KEYS.nodeName, 'at'].map((key) => values.get(key));
    const fencedAtMs = Number(at);
    if (
      address === undefined ||
      id === undefined ||
      nodeName === undefined ||
      !Number.isSafeInteger(fencedAtMs)
    ) {
      skipped.push(`fence "${line.slice(0, 60)}": expected an address, an id, a node and a time`);
      continue;
    }
    const known = records.get(id);
    records.set(id, {
      id,
      nodeName,
      clusterId: values.get(KEYS.clusterId),
      owner: values.get(KEYS.owner),
      nodeUid: values.get(KEYS.nodeUid),
      machineId: values.get(KEYS.machineId),
      bootId: values.get(KEYS.bootId),
      fencedAtMs,
      addresses: [...(known?.addresses ?? []), { kind: 'ip', value: address }],
    });
  }
  return { records: [...records.values()], skipped };
}
