import type { AuditRecord } from '../audit-record.ts';

/** What was done about one loss of one node. */
export interface Incident {
  /** Stays the same while more is done about it. */
  readonly key: string;
  readonly node: string;
  readonly startedAtMs: number;
  readonly endedAtMs: number;
  /** Oldest first. */
  readonly records: readonly AuditRecord[];
}

/** What is done about a node this long after the last time belongs to another loss. */
const GAP_MS = 15 * 60_000;

/** The cleanup after an incident belongs to it, however late. */
const TAKES_BACK: ReadonlySet<AuditRecord['kind']> = new Set(['unfenced', 'untainted']);

/** Groups what was done by node and time. @returns the latest first */
export function incidentsOf(records: readonly AuditRecord[]): readonly Incident[] {
  const latest = new Map<
    string,
    { readonly key: string; readonly records: AuditRecord[]; closed: boolean }
  >();
  const all: { readonly key: string; readonly records: AuditRecord[] }[] = [];
  for (const record of records.toSorted((a, b) => a.atMs - b.atMs)) {
    const takesBack = TAKES_BACK.has(record.kind);
    let group = latest.get(record.node);
    const isLate = record.atMs - (group?.records.at(-1)?.atMs ?? 0) > GAP_MS;
    if (!group || (!takesBack && (group.closed || isLate))) {
      group = { key: `${record.node} ${record.atMs}`, records: [], closed: false };
      latest.set(record.node, group);
      all.push(group);
    }
    group.records.push(record);
    group.closed ||= takesBack;
  }
  return all
    .map(({ key, records: own }) => ({
      key,
      node: own[0]?.node ?? '',
      startedAtMs: own[0]?.atMs ?? 0,
      endedAtMs: own.at(-1)?.atMs ?? 0,
      records: own,
    }))
    .toSorted((a, b) => b.endedAtMs - a.endedAtMs);
}

const WORDS: readonly (readonly [AuditRecord['kind'], string, string])[] = [
  ['fenced', 'fenced', 'fenced on {n} backends'],
  ['confirmed-off', 'confirmed off', 'confirmed off on {n} backends'],
  ['pod-deleted', '1 pod deleted', '{n} pods deleted'],
  ['released', '1 volume released', '{n} volumes released'],
  ['untainted', 'taint removed', 'taint removed'],
  ['unfenced', 'unfenced', 'unfenced on {n} backends'],
];

/** `fenced, 2 pods deleted, 2 volumes released`. */
export function summarise(records: readonly AuditRecord[]): string {
  return WORDS.flatMap(([kind, one, many]) => {
    const amount = records.filter((record) => record.kind === kind).length;
    if (amount === 0) return [];
    return [amount === 1 ? one : many.replace('{n}', String(amount))];
  }).join(', ');
}
