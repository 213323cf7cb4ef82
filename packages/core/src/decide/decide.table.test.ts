import { describe, expect, it } from 'vitest';
import {
  EFFECTIVE,
  gone,
  INEFFECTIVE,
  leaseStale,
  NOT_ENFORCED,
  NOW,
  notReady,
  OPEN,
  QUIESCING,
  ready,
  silentFor,
  unknown,
  world,
} from '../../test/decide-world.ts';
import type { FenceState } from '../model/fence-state.ts';
import { MODES } from '../model/policy.ts';
import type { NodeEvidence } from '../model/storage-reading.ts';
import { testPolicy } from '../testing/policy-builder.ts';
import type { NodeState } from '../view/cluster-view.ts';
import { decide } from './decide.ts';

const NODES = {
  ready: ready(),
  'not-ready': notReady(),
  'not-ready for a moment': notReady(1_000),
  gone: gone(),
  'gone for a moment': gone(1_000),
  'lease-stale': leaseStale(),
} as const;

const EVIDENCE = {
  live: { kind: 'live', observedAtMs: NOW, lastActivityMs: NOW - 12_000, detail: 'it talks' },
  silent: silentFor(60_000),
  unknown,
} as const satisfies Record<string, NodeEvidence>;

const FENCES = {
  none: OPEN,
  quiescing: QUIESCING,
  ineffective: INEFFECTIVE,
  effective: EFFECTIVE,
  unenforced: NOT_ENFORCED,
} as const satisfies Record<string, FenceState>;

const YES_NO = [false, true] as const;

interface Row {
  readonly node: keyof typeof NODES;
  readonly evidence: keyof typeof EVIDENCE;
  readonly fence: keyof typeof FENCES;
  readonly mode: (typeof MODES)[number];
  readonly isMigrating: boolean;
  readonly isBreakerOpen: boolean;
  readonly isCacheStale: boolean;
  readonly hasOtherActor: boolean;
}

/** What the design says, written independently of the rules. @see design section 4 */
function expected(row: Row): string {
  if (row.isCacheStale) return 'hold cache-stale';
  if (row.isBreakerOpen && row.node !== 'ready') return 'hold mass-failure';
  if (row.hasOtherActor) return 'hold other-actor';
  if (row.node === 'ready') return 'keep';
  if (row.node === 'lease-stale' && row.evidence !== 'silent') return 'keep';
  const isRead = row.evidence !== 'unknown'; // a backend that cannot be read says nothing about its fence either
  const isCutOff = row.evidence === 'silent' || (isRead && row.fence === 'effective');
  if (row.isMigrating && !isCutOff) return 'wait';
  if (row.node.endsWith('for a moment')) return 'wait';
  if (row.evidence === 'unknown') return 'hold storage-unknown';
  if (row.mode === 'observe') return 'hold dry-run';
  const inModeFence = {
    none: 'fence',
    quiescing: 'wait',
    effective: 'release',
    ineffective: 'hold fence-failed',
    unenforced: 'hold fence-failed',
  };
  return inModeFence[row.fence];
}

function decided(row: Row): string {
  const other = row.hasOtherActor ? withTaint(NODES[row.node]) : NODES[row.node];
  const view = world({
    node: other,
    evidence: EVIDENCE[row.evidence],
    fence: FENCES[row.fence],
    view: row.isMigrating ? { migrationUntilMs: NOW + 60_000 } : {},
    cache: { synced: true, freshAsOfMs: row.isCacheStale ? NOW - 600_000 : NOW, detail: '' },
    recentLosses: new Map(row.isBreakerOpen ? ['a', 'b', 'c', 'd'].map((name) => [name, NOW]) : []),
  });
  const [decision] = decide(view, testPolicy({ mode: row.mode }), NOW).decisions;
  const verdict = decision?.verdict;
  return verdict?.kind === 'hold' ? `hold ${verdict.reason}` : String(verdict?.kind);
}

/** A Node that is gone carries the taint in its last known state. */
function withTaint(state: NodeState): NodeState {
  const taint = { key: 'medik8s.io/remediation', effect: 'NoExecute' };
  if (state.kind === 'gone') {
    const { node } = notReady() as Extract<NodeState, { kind: 'not-ready' }>;
    return { ...state, lastSeen: { ...node, taints: [taint] } };
  }
  return { ...state, node: { ...state.node, taints: [taint] } };
}

const ROWS: readonly Row[] = (Object.keys(NODES) as Row['node'][]).flatMap((node) =>
  (Object.keys(EVIDENCE) as Row['evidence'][]).flatMap((evidence) =>
    (Object.keys(FENCES) as Row['fence'][]).flatMap((fence) =>
      MODES.flatMap((mode) =>
        YES_NO.flatMap((isMigrating) =>
          YES_NO.flatMap((isBreakerOpen) =>
            YES_NO.flatMap((isCacheStale) =>
              YES_NO.map((hasOtherActor) => ({
                node,
                evidence,
                fence,
                mode,
                isMigrating,
                isBreakerOpen,
                isCacheStale,
                hasOtherActor,
              })),
            ),
          ),
        ),
      ),
    ),
  ),
);

describe('decide', () => {
  it(`agrees with the design on all ${ROWS.length} combinations`, () => {
    const wrong = ROWS.flatMap((row) => {
      const [want, got] = [expected(row), decided(row)];
      return want === got ? [] : [{ ...row, want, got }];
    });
    expect(wrong).toEqual([]);
    expect(ROWS).toHaveLength(6 * 3 * 5 * 2 * 2 ** 4);
    const outcomes = new Set(ROWS.map(decided));
    expect([...outcomes].toSorted()).toEqual([
      'fence',
      'hold cache-stale',
      'hold dry-run',
      'hold fence-failed',
      'hold mass-failure',
      'hold other-actor',
      'hold storage-unknown',
      'keep',
      'release',
      'wait',
    ]);
  });
});
