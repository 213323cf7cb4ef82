import { describe, expect, it } from 'vitest';
import type { NodeFact } from '../model/facts.ts';
import { nodeFact } from '../testing/fact-builders.ts';
import { FakeClusterActions } from '../testing/fake-cluster-actions.ts';
import type { LostNode } from '../view/cluster-view.ts';
import { nodeDrift } from './confirm-lost.ts';

const unready = nodeFact({ ready: false });
const notReady: LostNode = { kind: 'not-ready', name: 'node-a', node: unready, sinceMs: 0 };
const gone: LostNode = { kind: 'gone', name: 'node-a', sinceMs: 0 };
const leaseStale: LostNode = {
  kind: 'lease-stale',
  name: 'node-a',
  node: nodeFact(),
  sinceMs: 0,
  renewTime: 'seen',
};

const ask = (node: LostNode, actions: FakeClusterActions) =>
  nodeDrift(node, actions, new AbortController().signal);

/** @param renewTime of the Lease; `undefined`: there is none. */
function setUp(live: NodeFact | undefined, renewTime?: string) {
  const actions = new FakeClusterActions();
  if (live) actions.setNode(live);
  if (renewTime !== undefined) actions.setNodeLeaseRenewTime('node-a', renewTime);
  return actions;
}

describe('nodeDrift', () => {
  it.each<[string, LostNode, NodeFact | undefined, string | undefined, string | undefined]>([
    ['NotReady, still so', notReady, unready, undefined, undefined],
    ['NotReady, booted since but not Ready', notReady, { ...unready, bootId: 'next' }, undefined, undefined],
    ['NotReady, now Ready', notReady, nodeFact(), undefined, 'The Node is ready again'],
    ['NotReady, now deleted', notReady, undefined, undefined, 'The Node has been deleted since'],
    [
      'NotReady, now another object',
      notReady,
      { ...unready, uid: 'other' },
      undefined,
      'The Node has been created again',
    ],
    ['gone, still so', gone, undefined, undefined, undefined],
    ['gone, now there and NotReady', gone, unready, undefined, 'The Node exists again'],
    [
      'gone, now there under another uid',
      gone,
      { ...unready, uid: 'other' },
      undefined,
      'The Node exists again',
    ],
    ['Lease stale, still so', leaseStale, nodeFact(), 'seen', undefined],
    ['Lease stale, NotReady by now', leaseStale, unready, 'seen', undefined],
    ['Lease stale, now renewed', leaseStale, nodeFact(), 'later', 'The kubelet has renewed its Lease'],
    [
      'Lease stale, now without a Lease',
      leaseStale,
      nodeFact(),
      undefined,
      'The kubelet has renewed its Lease',
    ],
    ['Lease stale, Node deleted', leaseStale, undefined, 'seen', 'The Node has been deleted since'],
    [
      'Lease stale, now another object',
      leaseStale,
      nodeFact({ uid: 'other' }),
      'seen',
      'The Node has been created again',
    ],
  ])('%s', async (_situation, node, live, renewTime, expected) => {
    expect((await ask(node, setUp(live, renewTime))).changed).toBe(expected);
  });

  it('asks for the Lease only where the Lease is what was concluded from', async () => {
    const actions = setUp(unready, 'later');
    await ask(notReady, actions);
    expect(actions.calls).toEqual([{ kind: 'getNode', name: 'node-a' }]);
  });

  it.each(['getNode', 'getNodeLeaseRenewTime'] as const)(
    'rejects when %s gets no answer: that says nothing',
    async (failing) => {
      const actions = setUp(nodeFact(), 'seen');
      actions.before = ({ kind }) => {
        if (kind === failing) throw new Error('no answer');
      };
      await expect(ask(leaseStale, actions)).rejects.toThrow('no answer');
    },
  );
});
