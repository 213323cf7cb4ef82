import { describe, expect, it } from 'vitest';
import { nodeFact } from '../testing/fact-builders.ts';
import type { NodeState } from './cluster-view.ts';
import { LossHistory } from './loss-history.ts';

const gone = (name: string, sinceMs: number): [string, NodeState] => [name, { kind: 'gone', name, sinceMs }];
const ready = (name: string): [string, NodeState] => [
  name,
  { kind: 'ready', name, node: nodeFact({ name }) },
];

describe('LossHistory', () => {
  it('remembers a node that is back until the window has passed since its loss', () => {
    const history = new LossHistory(1_000);
    history.record(new Map([gone('a', 0)]), 0);
    history.record(new Map([ready('a')]), 999);
    expect([...history.including(new Map(), 999)]).toEqual([['a', 0]]);
    expect([...history.including(new Map(), 1_000)]).toEqual([]);
  });

  it('counts a node that flaps once, by its latest loss', () => {
    const history = new LossHistory(1_000);
    history.record(new Map([gone('a', 0)]), 0);
    history.record(new Map([ready('a')]), 100);
    history.record(new Map([gone('a', 500)]), 500);
    expect([...history.including(new Map(), 500)]).toEqual([['a', 500]]);
  });

  it('forgets a node that has been lost for longer than the window', () => {
    const history = new LossHistory(1_000);
    expect(history.including(new Map([gone('a', 0)]), 1_000).size).toBe(0);
  });

  it('does not record what it is asked about', () => {
    const history = new LossHistory(1_000);
    expect([...history.including(new Map([gone('a', 0)]), 0)]).toEqual([['a', 0]]);
    expect([...history.including(new Map(), 0)]).toEqual([]);
  });
});
