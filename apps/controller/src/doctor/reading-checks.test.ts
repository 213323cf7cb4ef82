import type { Fence, NodeEvidence, NodeFact, StorageReading } from '@reattach/core';
import { describe, expect, it } from 'vitest';
import { readingChecks } from './reading-checks.ts';

const NOW_MS = 1_000_000;
const NODE_A: NodeFact = {
  name: 'node-a',
  uid: 'uid-a',
  machineId: 'machine-a',
  ready: true,
  storageAddresses: ['10.0.0.11'],
  labels: {},
  taints: [],
};
const FENCE: Fence = {
  id: 'aaaabbbb',
  nodeName: 'node-a',
  machineId: 'machine-a',
  addresses: [{ kind: 'ip', value: '10.0.0.11' }],
  inForce: [{ kind: 'ip', value: '10.0.0.11' }],
  fencedAtMs: NOW_MS,
  seenSinceMs: NOW_MS,
};

function live(quietMs: number): NodeEvidence {
  return { kind: 'live', observedAtMs: NOW_MS, lastActivityMs: NOW_MS - quietMs, detail: '' };
}

function examine(reading: Partial<StorageReading>, nodes: readonly NodeFact[] = [NODE_A]) {
  const checks = readingChecks({
    reading: {
      observedAtMs: NOW_MS,
      evidence: new Map(),
      fenceStates: new Map(),
      unattributed: [],
      ...reading,
    },
    nodes,
    mode: 'fence',
    kind: 'rds',
    hasForeignAddresses: true,
    activityWindowMs: 15_000,
  });
  for (const { state, fix } of checks) expect(fix !== undefined).toBe(state !== 'ok');
  return new Map(checks.map((check) => [check.name, check]));
}

describe('readingChecks', () => {
  it('finds nothing wrong with a healthy reading', () => {
    const states = [...examine({ evidence: new Map([['node-a', live(3_000)]]) }).values()];
    expect(states.map(({ state }) => state)).toEqual(['ok', 'ok', 'ok']);
  });

  it('fails for a live session of no known node, and says both ways out', () => {
    const check = examine({
      unattributed: [{ address: { kind: 'ip', value: '10.0.5.1' }, lastActivityMs: NOW_MS }],
    }).get('sessions');
    expect(check).toMatchObject({ state: 'failed', detail: expect.stringContaining('10.0.5.1') });
    expect(check?.fix).toMatch(/annotate node NODE .*=10\.0\.5\.1; .*rds\.foreignAddresses=10\.0\.5\.1/);
  });

  it('warns when sessions cannot be attributed, because no node is known', () => {
    expect(examine({}, []).get('sessions')).toMatchObject({ state: 'warning' });
  });

  it.each([
    ['spoke 3 s ago', live(3_000), 'ok'],
    ['spoke 9 s ago', live(9_000), 'warning'],
    [
      'is Ready and silent',
      {
        kind: 'silent',
        observedAtMs: NOW_MS,
        silentSinceMs: NOW_MS - 40_000,
        lastActivityMs: NOW_MS - 40_000,
        detail: '',
      },
      'warning',
    ],
    [
      'has a long cadence',
      { kind: 'unknown', observedAtMs: NOW_MS, reason: 'long-cadence', detail: 'slow' },
      'warning',
    ],
    [
      'uses no volume',
      { kind: 'unknown', observedAtMs: NOW_MS, reason: 'never-seen-live', detail: '' },
      'ok',
    ],
  ] as const)('says of a node that %s: %s', (_what, evidence, state) => {
    expect(examine({ evidence: new Map([['node-a', evidence]]) }).get('keep-alives')?.state).toBe(state);
  });

  it.each([
    ['its own', FENCE, 'ok'],
    ['that of another node', { ...FENCE, nodeName: 'node-x' }, 'failed'],
    ['that of the machine which had its name before', { ...FENCE, machineId: 'machine-old' }, 'failed'],
    ['that of another node, not in force', { ...FENCE, nodeName: 'node-x', inForce: [] }, 'ok'],
  ])('says of a Ready node with a fence that is %s', (_what, fence, state) => {
    expect(examine({ fences: [fence] }).get('fenced addresses')?.state).toBe(state);
  });

  it('names rows that were skipped', () => {
    expect(examine({ skipped: ['sessions: no address'] }).get('rows understood')).toMatchObject({
      state: 'warning',
      detail: expect.stringContaining('sessions: no address'),
    });
  });
});
