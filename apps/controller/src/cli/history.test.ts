import type { AuditRecord } from '@reattach/status-page';
import { describe, expect, it } from 'vitest';
import { historyText } from './history.ts';
import { plainStyle } from './style.ts';

const BASE = {
  atMs: Date.UTC(2026, 0, 1),
  decidedAtMs: 0,
  reconcileID: 'r',
  node: 'node-a',
  why: 'lost',
} as const;

describe('historyText', () => {
  it('describes everything in one line each', () => {
    const claim = { namespace: 'default', name: 'data-a' };
    const pod = { namespace: 'default', name: 'db-0' };
    const records: readonly AuditRecord[] = [
      { ...BASE, kind: 'fenced', backend: 'backend-a', fence: { id: 'f1' } },
      { ...BASE, kind: 'pod-deleted', pod },
      { ...BASE, kind: 'released', claim, persistentVolume: 'pv-a' },
      { ...BASE, kind: 'released', persistentVolume: 'pv-b' },
      { ...BASE, kind: 'untainted', taint: 'node.kubernetes.io/out-of-service', why: 'booted' },
      { ...BASE, kind: 'unfenced', backend: 'backend-a', fence: { id: 'f1' }, why: 'booted' },
    ];
    const rows = historyText(records, plainStyle).trimEnd().split('\n');
    expect(rows.map((row) => row.split(/ {2,}/))).toEqual([
      ['TIME', 'DONE', 'WHAT', 'NODE', 'WHY'],
      ['2026-01-01 00:00:00Z', 'fenced', 'fence f1 at backend-a', 'node-a', 'lost'],
      ['2026-01-01 00:00:00Z', 'deleted pod', 'default/db-0', 'node-a', 'lost'],
      ['2026-01-01 00:00:00Z', 'released', 'default/data-a', 'node-a', 'lost'],
      ['2026-01-01 00:00:00Z', 'released', 'pv-b', 'node-a', 'lost'],
      ['2026-01-01 00:00:00Z', 'untainted', 'node.kubernetes.io/out-of-service', 'node-a', 'booted'],
      ['2026-01-01 00:00:00Z', 'unfenced', 'fence f1 at backend-a', 'node-a', 'booted'],
    ]);
  });
});
