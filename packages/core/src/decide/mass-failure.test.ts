import { describe, expect, it } from 'vitest';
import { nodeFact } from '../testing/fact-builders.ts';
import { testPolicy } from '../testing/policy-builder.ts';
import type { NodeState } from '../view/cluster-view.ts';
import { massFailure } from './mass-failure.ts';

const NOW = 1_767_225_600_000;
const { breaker } = testPolicy();

function nodes(lost: number, total: number): ReadonlyMap<string, NodeState> {
  const states = Array.from({ length: total }, (_, index): NodeState => {
    const name = `node-${index}`;
    const node = nodeFact({ name });
    if (index >= lost) return { kind: 'ready', name, node };
    const kinds = ['gone', 'not-ready', 'lease-stale'] as const;
    const kind = kinds[index % 3] ?? 'gone';
    if (kind === 'gone') return { kind, name, sinceMs: NOW, lastSeen: node };
    if (kind === 'not-ready') return { kind, name, node, sinceMs: NOW };
    return { kind, name, node, sinceMs: NOW, renewTime: 't' };
  });
  return new Map(states.map((state) => [state.name, state]));
}

const losses = (...agesMs: readonly number[]) =>
  new Map(agesMs.map((ageMs, index) => [`flapped-${index}`, NOW - ageMs]));
const all = () => true;
const gone = (name: string, sinceMs: number): NodeState => ({ kind: 'gone', name, sinceMs });
const lost = (name: string, sinceMs: number): NodeState => ({
  kind: 'not-ready',
  name,
  node: nodeFact({ name }),
  sinceMs,
});
const named = (...states: readonly NodeState[]) => new Map(states.map((state) => [state.name, state]));

const reasonAfter = (...agesMs: readonly number[]) =>
  massFailure({ nodes: nodes(1, 100), recentLosses: losses(...agesMs) }, breaker, all)('node-0');

describe('massFailure', () => {
  it.each([
    [1, 1, false],
    [1, 2, false],
    [2, 5, false],
    [2, 4, true],
    [49, 100, true],
    [48, 100, false],
    [3, 3, true],
  ])('%i of %i nodes lost -> %j', (count, total, open) => {
    const breakerOf100 = { ...breaker, maxNodesPerWindow: 100 };
    const reason = massFailure({ nodes: nodes(count, total), recentLosses: losses() }, breakerOf100, all);
    expect(reason('node-0') !== undefined).toBe(open);
  });

  /** The table of docs/concepts.md. */
  it.each([
    [2, 2],
    [3, 2],
    [4, 2],
    [5, 3],
    [6, 3],
    [7, 4],
    [8, 4],
    [9, 4],
    [100, 4],
  ])('of %i nodes %i must be lost at once by default, and one fewer is none', (total, needed) => {
    const isOpen = (count: number) =>
      massFailure({ nodes: nodes(count, total), recentLosses: losses() }, breaker, all)('node-0') !==
      undefined;
    expect([isOpen(needed - 1), isOpen(needed)]).toEqual([false, true]);
  });

  it('counts losses within the window, whether the nodes are back or not', () => {
    expect(reasonAfter(0, 1)).toBeUndefined();
    expect(reasonAfter(0, 1, 599_999)).toContain('4 nodes were lost within 10 min');
    expect(reasonAfter(0, 1, 600_000)).toBeUndefined();
  });

  it('does not count a node for one that was lost weeks later, nor releases it together with its own kind', () => {
    const weeksAgo = NOW - 3 * 7 * 86_400_000;
    const states = named(lost('old-1', weeksAgo), lost('old-2', weeksAgo), lost('new', NOW), lost('r', 0));
    const reason = massFailure({ nodes: states, recentLosses: losses() }, breaker, all);
    expect(reason('new')).toBeUndefined();
    expect(reason('old-1')).toContain('2 of 4 nodes were lost at once');
  });

  it('does not count names that were never seen as Nodes, nor nodes without attachments', () => {
    const states = named(lost('a', NOW), gone('invented-1', NOW), gone('invented-2', NOW), lost('idle', NOW));
    const reason = massFailure({ nodes: states, recentLosses: losses() }, breaker, (name) => name !== 'idle');
    expect(reason('a')).toBeUndefined();
  });
});
