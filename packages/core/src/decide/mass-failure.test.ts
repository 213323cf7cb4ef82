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
    if (kind === 'gone') return { kind, name, sinceMs: NOW };
    if (kind === 'not-ready') return { kind, name, node, sinceMs: NOW };
    return { kind, name, node, sinceMs: NOW, renewTime: 't' };
  });
  return new Map(states.map((state) => [state.name, state]));
}

const losses = (...agesMs: readonly number[]) =>
  new Map(agesMs.map((ageMs, index) => [`node-${index}`, NOW - ageMs]));

const lostAgo = (...agesMs: readonly number[]) => ({
  nodes: nodes(0, 100),
  recentLosses: losses(...agesMs),
});

describe('massFailure', () => {
  it.each([
    [1, 1, false],
    [1, 2, false],
    [2, 5, false],
    [2, 4, true],
    [49, 100, true],
    [48, 100, false],
    [3, 3, true],
  ])('%i of %i nodes lost -> %j', (lost, total, open) => {
    const verdict = massFailure({ nodes: nodes(lost, total), recentLosses: losses() }, breaker, NOW);
    expect(verdict !== undefined).toBe(open);
  });

  it('counts losses within the window, whether the nodes are back or not', () => {
    expect(massFailure(lostAgo(0, 1, 2), breaker, NOW)).toBeUndefined();
    expect(massFailure(lostAgo(0, 1, 2, 599_999), breaker, NOW)).toContain('4 nodes were lost within 10 min');
    expect(massFailure(lostAgo(0, 1, 2, 600_000), breaker, NOW)).toBeUndefined();
  });
});
