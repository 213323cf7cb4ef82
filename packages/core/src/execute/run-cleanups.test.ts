import { describe, expect, it } from 'vitest';
import type { Cleanup } from '../decide/cleanups.ts';
import type { NodeFact } from '../model/facts.ts';
import type { Fence } from '../model/fence-record.ts';
import { ipAddresses } from '../model/storage-address.ts';
import { nodeFact } from '../testing/fact-builders.ts';
import { FakeClock } from '../testing/fake-clock.ts';
import { FakeClusterActions } from '../testing/fake-cluster-actions.ts';
import { FakeStorageBackend, fakeFleet } from '../testing/fake-storage-backend.ts';
import { releaseKey } from './execute.ts';
import type { NodeWork } from './node-plan.ts';
import { runCleanups } from './run-cleanups.ts';
import { WorkInFlight } from './work-in-flight.ts';

const node = nodeFact({ bootId: 'next' });
const fenced = {
  id: 'f1',
  nodeName: 'node-a',
  nodeUid: 'uid-of-node-a',
  bootId: 'before',
  fencedAtMs: 0,
  seenSinceMs: 0,
};
const addresses = ipAddresses(['address-of-node-a']);
const fence: Fence = { ...fenced, addresses, inForce: addresses };
const unfence: Cleanup = { kind: 'unfence', backendName: 'backend-a', fence, node, why: '' };
const untaint: Cleanup = { kind: 'untaint', node, why: '' };
const addFencedTaint: Cleanup = { kind: 'add-fenced-taint', node, why: '' };
const removeFencedTaint: Cleanup = { kind: 'remove-fenced-taint', node, why: '' };

function setUp(live: NodeFact | undefined = node) {
  const backend = new FakeStorageBackend(new FakeClock());
  backend.fences.set('f1', { ...fenced, addresses: ['address-of-node-a'] });
  const actions = new FakeClusterActions();
  if (live) actions.setNode(live);
  let checks = 0;
  const abort = new AbortController();
  const inFlight: NodeWork = new WorkInFlight();
  const leadership = { assertHeld: () => void checks++ };
  const run = (...cleanups: readonly Cleanup[]) =>
    runCleanups(cleanups, { actions, leadership, fleet: fakeFleet(backend), inFlight }, abort.signal);
  const writes = () => actions.calls.map(({ kind }) => kind).filter((kind) => kind !== 'getNode');
  return { abort, actions, backend, leadership, run, inFlight, writes, checks: () => checks };
}

describe('runCleanups', () => {
  it('skips a node whose release is in flight', async () => {
    const { run, inFlight, writes } = setUp();
    inFlight.start(releaseKey(node.name), () => new Promise(() => undefined));
    expect(await run(unfence, untaint, removeFencedTaint)).toEqual([]);
    expect(writes()).toEqual([]);
  });

  it.each([
    [unfence, 'unfenced', 3],
    [untaint, 'untainted', 2],
    [addFencedTaint, 'fenced-taint-added', 2],
    [removeFencedTaint, 'fenced-taint-removed', 2],
  ] as const)('carries out %j', async (cleanup, kind, expectedChecks) => {
    const { run, checks } = setUp();
    expect(await run(cleanup)).toEqual([{ kind, cleanup }]);
    expect(checks()).toBe(expectedChecks); // before and after each live read
  });

  it('leaves alone what is to be kept', async () => {
    const { run, backend, actions } = setUp();
    const kept: Cleanup[] = [
      { kind: 'keep-fence', backendName: 'backend-a', fence, why: '' },
      { kind: 'keep-taint', node, why: '' },
    ];
    expect([await run(...kept), backend.calls, actions.calls]).toEqual([[], [], []]);
  });

  it.each<[string, NodeFact | undefined]>([
    ['is gone', undefined],
    ['is another one', { ...node, uid: 'other' }],
    ['has booted once more', { ...node, bootId: 'later' }],
  ])('removes nothing when the Node %s', async (_situation, live) => {
    const { run, backend, writes } = live ? setUp(live) : setUpWithout();
    expect([await run(unfence, untaint, removeFencedTaint), backend.calls, writes()]).toEqual([[], [], []]);
  });

  it('unfences no Node that is not ready any more', async () => {
    const { run, backend } = setUp({ ...node, ready: false });
    expect([await run(unfence), backend.calls]).toEqual([[], []]);
  });

  it('says nothing of a taint that was gone already', async () => {
    const { run, actions } = setUp();
    actions.setChangeResult('node-a', 'unchanged');
    expect(await run(untaint)).toEqual([]);
  });

  it('reports a failure and goes on with the rest', async () => {
    const { run, backend } = setUp();
    const err = new Error('refused');
    backend.beforeChange = () => {
      throw err;
    };
    expect(await run(unfence, untaint)).toEqual([
      { kind: 'cleanup-failed', cleanup: unfence, err },
      { kind: 'untainted', cleanup: untaint },
    ]);
  });

  it('writes nothing without the right to', async () => {
    const { run, backend, leadership, writes } = setUp();
    leadership.assertHeld = () => {
      throw new Error('not the leader');
    };
    expect((await run(unfence, untaint)).map(({ kind }) => kind)).toEqual([
      'cleanup-failed',
      'cleanup-failed',
    ]);
    expect([backend.calls, writes()]).toEqual([[], []]);
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
