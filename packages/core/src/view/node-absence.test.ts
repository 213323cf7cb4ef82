import { describe, expect, it } from 'vitest';
import { nodeFact } from '../testing/fact-builders.ts';
import type { NodeState } from './cluster-view.ts';
import { NodeAbsence } from './node-absence.ts';

const gone = (name: string): NodeState => ({ kind: 'gone', name, sinceMs: 0 });
const ready = (name: string): NodeState => ({ kind: 'ready', name, node: nodeFact({ name }) });
const notReady = (name: string, readyObservedAtMs?: number): NodeState => {
  const { readyObservedAtMs: _known, ...node } = nodeFact({ name, ready: false });
  return { kind: 'not-ready', name, node: { ...node, readyObservedAtMs }, sinceMs: 0 };
};
const nodes = (...states: readonly NodeState[]) => new Map(states.map((state) => [state.name, state]));

describe('NodeAbsence', () => {
  it('counts from the first view that misses the Node', () => {
    const absence = new NodeAbsence();
    absence.recordView(nodes(gone('node-a')), true, 1_000);
    absence.recordView(nodes(gone('node-a'), notReady('node-b')), true, 5_000);
    expect([absence.sinceMs('node-a'), absence.sinceMs('node-b')]).toEqual([1_000, 5_000]);
  });

  it.each<[string, NodeState]>([
    ['the Node is ready', ready('node-a')],
    ['the cache says since when it has been NotReady', notReady('node-a', 500)],
  ])('ends when %s', (_when, state) => {
    const absence = new NodeAbsence();
    absence.record('node-a', 1_000);
    absence.recordView(nodes(state), true, 2_000);
    expect(absence.sinceMs('node-a')).toBeUndefined();
  });

  it('records nothing from a stale cache, and keeps what is recorded', () => {
    const absence = new NodeAbsence();
    absence.record('node-a', 1_000);
    absence.recordView(nodes(gone('node-a'), gone('node-b')), false, 2_000);
    expect([absence.sinceMs('node-a'), absence.sinceMs('node-b')]).toEqual([1_000, undefined]);
  });

  it('drops names that no view contains', () => {
    const absence = new NodeAbsence();
    absence.record('node-a', 1_000);
    absence.recordView(nodes(), true, 2_000);
    expect(absence.sinceMs('node-a')).toBeUndefined();
  });
});
