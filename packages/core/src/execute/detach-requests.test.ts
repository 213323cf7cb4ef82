import { describe, expect, it } from 'vitest';
import { gone, leaseStale, NOW, notReady, world } from '../../test/decide-world.ts';
import { decide } from '../decide/decide.ts';
import { STRATEGIES } from '../model/policy.ts';
import type { PassReport } from '../pass/pass-report.ts';
import { lostDecisionsIn } from '../report/held.ts';
import { testPolicy } from '../testing/policy-builder.ts';
import type { LostNode } from '../view/cluster-view.ts';
import { DetachRequests, strategyFor } from './detach-requests.ts';

describe('DetachRequests', () => {
  it('counts from the first request', () => {
    const requests = new DetachRequests();
    expect(requests.requestedForMs('a', 500)).toBe(0);
    requests.record('a', 'in-use', 1_000);
    requests.record('a', 'in-use', 2_000);
    expect(requests.requestedForMs('a', 3_000)).toBe(2_000);
  });

  it('says whether it is asked for first, again or in another way', () => {
    const requests = new DetachRequests();
    const orders = (['in-use', 'in-use', 'delete', 'delete'] as const).map((way) =>
      requests.record('a', way, 0),
    );
    expect(orders).toEqual(['first', 'again', 'other-way', 'again']);
  });

  describe('a detach without an answer', () => {
    const [decision] = lostDecisionsIn({
      decisions: decide(world(), testPolicy(), NOW).decisions,
    } as PassReport);
    if (!decision) throw new Error('a lost attachment');
    const { uid } = decision.attachment;

    it('is reported once, when its attachment is gone', () => {
      const requests = new DetachRequests();
      requests.recordUnconfirmed(decision, 'in-use');
      expect(requests.isUnconfirmed(uid)).toBe(true);
      expect(requests.takeConfirmed(() => [uid])).toEqual([]);
      expect(requests.takeConfirmed(() => [])).toEqual([
        { kind: 'detach-requested', decision, strategy: 'in-use' },
      ]);
      expect(requests.takeConfirmed(() => [])).toEqual([]);
    });

    it('is not reported once an answer came, or had come before, or the node is back', () => {
      const requests = new DetachRequests();
      requests.recordUnconfirmed(decision, 'in-use');
      requests.record(uid, 'in-use', NOW);
      requests.recordUnconfirmed(decision, 'in-use');
      expect(requests.isUnconfirmed(uid)).toBe(false);
      requests.retainOnly(new Set());
      requests.recordUnconfirmed(decision, 'in-use');
      requests.retainOnly(new Set());
      expect(requests.takeConfirmed(() => [])).toEqual([]);
    });
  });

  it('forgets what is no longer of interest', () => {
    const requests = new DetachRequests();
    requests.record('a', 'in-use', 1_000);
    requests.record('b', 'in-use', 1_000);
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
