import { describe, expect, it } from 'vitest';
import { gone, leaseStale, notReady } from '../test/decide-world.ts';
import type { LostNode } from './cluster-view.ts';
import { DetachRequests, strategyFor } from './detach-requests.ts';
import { STRATEGIES } from './policy.ts';

describe('DetachRequests', () => {
  it('counts from the first request', () => {
    const requests = new DetachRequests();
    expect(requests.requestedForMs('a', 500)).toBe(0);
    requests.note('a', 'in-use', 1_000);
    requests.note('a', 'in-use', 2_000);
    expect(requests.requestedForMs('a', 3_000)).toBe(2_000);
  });

  it('says whether it is asked for first, again or in another way', () => {
    const requests = new DetachRequests();
    const orders = (['in-use', 'in-use', 'delete', 'delete'] as const).map((way) =>
      requests.note('a', way, 0),
    );
    expect(orders).toEqual(['first', 'again', 'other-way', 'again']);
  });

  it('forgets what is no longer of interest', () => {
    const requests = new DetachRequests();
    requests.note('a', 'in-use', 1_000);
    requests.note('b', 'in-use', 1_000);
    requests.retainOnly(new Set(['b']));
    expect([requests.requestedForMs('a', 2_000), requests.requestedForMs('b', 2_000)]).toEqual([0, 1_000]);
  });
});

describe('strategyFor', () => {
  const timeout = 60_000;

  it.each(STRATEGIES)('follows %s while the Node exists and the time-out has not passed', (strategy) => {
    const expected = strategy === 'auto' ? 'in-use' : strategy;
    for (const node of [notReady(), leaseStale()] as LostNode[]) {
      expect(strategyFor(node, timeout - 1, { strategy, detachTimeoutMs: timeout })).toBe(expected);
    }
  });

  it.each(STRATEGIES)('deletes under %s when the Node is gone, or the time-out has passed', (strategy) => {
    const policy = { strategy, detachTimeoutMs: timeout };
    expect(strategyFor(gone() as LostNode, 0, policy)).toBe('delete');
    expect(strategyFor(notReady() as LostNode, timeout, policy)).toBe('delete');
  });
});
