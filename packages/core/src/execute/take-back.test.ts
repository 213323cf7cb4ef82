import { describe, expect, it } from 'vitest';
import type { Recovery } from '../decide/recover.ts';
import type { NodeFact } from '../model/facts.ts';
import { nodeFact } from '../testing/fact-builders.ts';
import { FakeClock } from '../testing/fake-clock.ts';
import { FakeClusterActions } from '../testing/fake-cluster-actions.ts';
import { FakeStorageBox, fakeFleet } from '../testing/fake-storage-box.ts';
import { type NodeWorks, releaseKey } from './execute.ts';
import { takeBack } from './take-back.ts';
import { WorkInFlight } from './work-in-flight.ts';

const node = nodeFact({ bootId: 'next' });
const fence = { id: 'f1', nodeName: 'node-a', fencedAtMs: 0, addresses: ['10.0.0.1'], seenSinceMs: 0 };
const unfence: Recovery = { kind: 'unfence', boxName: 'box-a', fence, node, why: '' };
const untaint: Recovery = { kind: 'untaint', node, why: '' };
const unmark: Recovery = { kind: 'unmark', node, why: '' };

function setUp(live: NodeFact | undefined = node) {
  const box = new FakeStorageBox(new FakeClock());
  box.fences.set('f1', fence);
  const actions = new FakeClusterActions();
  if (live) actions.setNode(live);
  let checks = 0;
  const abort = new AbortController();
  const works: NodeWorks = new WorkInFlight();
  const leadership = { assertHeld: () => void checks++ };
  const run = (...recoveries: readonly Recovery[]) =>
    takeBack(recoveries, { actions, leadership, fleet: fakeFleet(box), works }, abort.signal);
  const writes = () => actions.calls.map(({ kind }) => kind).filter((kind) => kind !== 'getNode');
  return { abort, actions, box, leadership, run, works, writes, checks: () => checks };
}

describe('takeBack', () => {
  it('leaves a node alone whose release is under way', async () => {
    const { run, works, writes } = setUp();
    works.begin(releaseKey(node.name), () => new Promise(() => undefined));
    expect(await run(unfence, untaint, unmark)).toEqual([]);
    expect(writes()).toEqual([]);
  });

  it.each([
    [unfence, 'unfenced'],
    [untaint, 'untainted'],
    [unmark, 'unmarked'],
  ] as const)('carries out %j', async (recovery, kind) => {
    const { run, checks } = setUp();
    expect(await run(recovery)).toEqual([{ kind, recovery }]);
    expect(checks()).toBe(2); // before the live look and after it
  });

  it('leaves alone what is to be kept', async () => {
    const { run, box, actions } = setUp();
    const kept: Recovery[] = [
      { kind: 'keep-fence', boxName: 'box-a', fence, why: '' },
      { kind: 'keep-taint', node, why: '' },
    ];
    expect([await run(...kept), box.calls, actions.calls]).toEqual([[], [], []]);
  });

  it.each<[string, NodeFact | undefined]>([
    ['is gone', undefined],
    ['is another one', { ...node, uid: 'other' }],
    ['has booted once more', { ...node, bootId: 'later' }],
  ])('takes nothing back when the Node %s', async (_situation, live) => {
    const { run, box, writes } = live ? setUp(live) : setUpWithout();
    expect([await run(unfence, untaint, unmark), box.calls, writes()]).toEqual([[], [], []]);
  });

  it('unfences no Node that is not ready any more', async () => {
    const { run, box } = setUp({ ...node, ready: false });
    expect([await run(unfence), box.calls]).toEqual([[], []]);
  });

  it('says nothing of a taint that was gone already', async () => {
    const { run, actions } = setUp();
    actions.setChangeResult('node-a', 'unchanged');
    expect(await run(untaint)).toEqual([]);
  });

  it('reports a failure and goes on with the rest', async () => {
    const { run, box } = setUp();
    const err = new Error('refused');
    box.beforeChange = () => {
      throw err;
    };
    expect(await run(unfence, untaint)).toEqual([
      { kind: 'recovery-failed', recovery: unfence, err },
      { kind: 'untainted', recovery: untaint },
    ]);
  });

  it('writes nothing without the right to', async () => {
    const { run, box, leadership, writes } = setUp();
    leadership.assertHeld = () => {
      throw new Error('not the leader');
    };
    expect((await run(unfence, untaint)).map(({ kind }) => kind)).toEqual([
      'recovery-failed',
      'recovery-failed',
    ]);
    expect([box.calls, writes()]).toEqual([[], []]);
  });

  it('rejects with the reason of an abort', async () => {
    const { abort, run } = setUp();
    abort.abort(new Error('shutting down'));
    await expect(run(unfence)).rejects.toThrow('shutting down');
  });
});

function setUpWithout() {
  const fixture = setUp();
  fixture.actions.removeNode('node-a');
  return fixture;
}
