import { describe, expect, it } from 'vitest';
import type { AuditRecord } from '../audit-record.ts';
import { incidentsOf, summarise } from './incidents.ts';

const MINUTE_MS = 60_000;

function record(kind: AuditRecord['kind'], node: string, atMinutes: number): AuditRecord {
  const atMs = atMinutes * MINUTE_MS;
  return { kind, node, atMs, why: 'because', reconcileID: 'r' };
}

function shown(records: readonly AuditRecord[]): readonly string[] {
  return incidentsOf(records).map(({ node, records: own }) => `${node}: ${summarise(own)}`);
}

describe('incidentsOf', () => {
  it('puts together what was done about one node, the latest first', () => {
    expect(
      shown([
        record('fenced', 'a', 0),
        record('fenced', 'b', 1),
        record('pod-deleted', 'a', 2),
        record('released', 'a', 2),
        record('released', 'a', 3),
        record('released', 'b', 4),
      ]),
    ).toEqual(['b: fenced, 1 volume released', 'a: fenced, 1 pod deleted, 2 volumes released']);
  });

  it('counts the cleanup to the incident, however late', () => {
    expect(
      shown([record('fenced', 'a', 0), record('unfenced', 'a', 600), record('untainted', 'a', 601)]),
    ).toEqual(['a: fenced, taint removed, unfenced']);
  });

  it('begins another one after a pause, and after the last was cleaned up', () => {
    expect(shown([record('released', 'a', 0), record('released', 'a', 16)])).toHaveLength(2);
    expect(shown([record('released', 'a', 0), record('released', 'a', 14)])).toHaveLength(1);
    expect(
      shown([record('fenced', 'a', 0), record('unfenced', 'a', 5), record('fenced', 'a', 6)]),
    ).toHaveLength(2);
  });

  it('keeps the key of an incident about which more is done, whatever the order of the records', () => {
    const [first, second] = [record('fenced', 'a', 1), record('released', 'a', 2)];
    const [before] = incidentsOf([first]);
    const [after] = incidentsOf([second, first]);
    expect(after?.key).toBe(before?.key);
    expect(after).toMatchObject({ startedAtMs: MINUTE_MS, endedAtMs: 2 * MINUTE_MS });
  });

  it('shows a cleanup when the record of what was done is gone', () => {
    expect(shown([record('unfenced', 'a', 1)])).toEqual(['a: unfenced']);
  });
});
