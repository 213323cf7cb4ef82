import { describe, expect, it } from 'vitest';
import { fenceAt, PassFixture } from '../../test/pass-fixture.ts';
import type { NodeFact } from '../model/facts.ts';
import type { Policy } from '../model/policy.ts';
import { ipAddresses } from '../model/storage-address.ts';
import { EMPTY_QUERY } from '../model/storage-query.ts';
import { nodeFact, persistentVolumeFact, TEST_ATTACHER } from '../testing/fact-builders.ts';
import { settle } from '../testing/fake-clock.ts';
import { FakeLostNodeRecords } from '../testing/fake-lost-node-records.ts';
import { FakeStorageBackend, fakeFleet } from '../testing/fake-storage-backend.ts';
import { ReleasePass, type ReleasePassOptions } from './release-pass.ts';

const verdicts = ({ report }: PassFixture) => report.decisions.map(({ verdict }) => verdict.kind);
const reason = ({ report }: PassFixture) => {
  const verdict = report.decisions[0]?.verdict;
  return verdict?.kind === 'hold' ? verdict.reason : verdict?.kind;
};

function twoBackends(policy: Partial<Policy> = {}) {
  const f = new PassFixture(policy);
  const other = new FakeStorageBackend(f.clock, 'backend-b');
  other.setSilent('node-a', f.lostSinceMs + 15_000, f.lostSinceMs);
  fenceAt(other, f.lostSinceMs);
  f.attach('pv-b', 'node-a', 'pod-b', { address: 'backend-b' });
  const both = new PassFixture(policy, {
    fleet: fakeFleet(f.backend, other),
    cluster: f.cluster,
    actions: f.actions,
  });
  const setNode = (node: NodeFact) => f.setNode(node);
  return { f: both, backend: f.backend, other, actions: f.actions, setNode };
}

/** A record about attachments of `node-a`, of which nothing else is left. */
function forgotten(attachmentUids: readonly string[]) {
  const records = new FakeLostNodeRecords();
  records.records.set('node-a', { addresses: ['10.0.0.1'], attachmentUids });
  const f = Object.assign(PassFixture.unfenced({}, { records }), { records });
  f.cluster.removeNode('node-a', { forgotten: true });
  f.actions.removeNode('node-a');
  f.cluster.removePod('default', 'pod-a');
  return f;
}

describe('ReleasePass', () => {
  it('names every collaborator that is missing', () => {
    expect(() => new ReleasePass({ observer: {} } as ReleasePassOptions)).toThrow(
      'ReleasePass needs cluster and manager and fleet and actions and leadership and clock and policy and newFenceId',
    );
  });

  describe('of a fenced node', () => {
    it('releases what is attached to it', async () => {
      const f = new PassFixture();
      await f.run();
      expect([verdicts(f), f.effects]).toEqual([['release'], ['pod-deleted', 'detach-requested']]);
    });

    it.each<[string, (f: PassFixture) => void, string]>([
      ['a backend that cannot be reached', (f) => (f.backend.reachable = false), 'storage-unknown'],
      ['a cache that is not synced', (f) => (f.cluster.synced = false), 'cache-stale'],
    ])('writes nothing for %s', async (_what, change, held) => {
      const f = new PassFixture();
      change(f);
      await f.runFor(3);
      expect([reason(f), f.writes, f.backend.calls]).toEqual([held, [], []]);
    });

    it('releases nothing while the backend does not act on the fence, and has it put back', async () => {
      const f = new PassFixture();
      f.backend.enforcement = { kind: 'not-enforced', detail: 'no drop rule' };
      await f.runFor(3);
      expect([reason(f), f.writes]).toEqual(['fence-failed', []]);
      expect(f.effects).toEqual(['fence-restored']);
    });
  });

  it('writes nothing in mode observe, and says what it would do', async () => {
    const f = new PassFixture({ mode: 'observe' });
    await f.runFor(3);
    expect([reason(f), f.writes, f.backend.calls]).toEqual(['dry-run', [], []]);
  });

  describe('in mode fence', () => {
    it('fences, reads the fence back, and then releases', async () => {
      const f = PassFixture.unfenced();
      const { nextDeadlineMs } = await f.run();
      expect([f.effects, f.writes]).toEqual([['fenced'], []]);
      expect(nextDeadlineMs).toBe(f.clock.now());
      await f.clock.advance(50);
      await f.run();
      expect(f.effects).toEqual(['pod-deleted', 'detach-requested']);
    });

    it('waits for the quiesce of a node that was writing', async () => {
      const f = PassFixture.unfenced();
      f.backend.setLive('node-a');
      await f.run();
      const writtenUntilMs = f.clock.now();
      f.backend.setSilent('node-a', writtenUntilMs + 15_000, writtenUntilMs);
      await f.clock.advance(9_999);
      await f.run();
      expect([verdicts(f), f.writes]).toEqual([['wait'], []]);
      await f.clock.advance(1);
      await f.run();
      expect(verdicts(f)).toEqual(['release']);
    });

    it('lets a node back when it has booted: our taint first, then the fence', async () => {
      const f = PassFixture.unfenced({ strategy: 'out-of-service' });
      await f.runFor(2);
      expect(f.writes).toContain('addOutOfServiceTaint node-a');
      const taint = {
        key: 'node.kubernetes.io/out-of-service',
        value: 'test.csi.reattach.io',
        effect: 'NoExecute',
      };
      const tainted = { taints: [taint, ...f.lost.taints], outOfServiceBootId: 'boot-of-node-a' };
      f.cluster.removeVolumeAttachment('va-pv-a-node-a');
      f.cluster.removePod('default', 'pod-a');
      f.setNode(nodeFact(tainted));
      await f.run();
      expect(f.effects).toEqual([]);
      f.setNode(nodeFact({ ...tainted, bootId: 'next' }));
      await f.run();
      expect(f.effects).toEqual(['untainted']);
      f.setNode(nodeFact({ bootId: 'next' }));
      await f.run();
      expect(f.effects).toEqual(['unfenced']);
      expect(f.backend.fences.size).toBe(0);
    });

    it('writes nothing while the backend cannot be reached, neither there nor to the cluster', async () => {
      const f = PassFixture.unfenced();
      f.backend.reachable = false;
      await f.runFor(3);
      expect([reason(f), f.writes, f.backend.calls]).toEqual(['storage-unknown', [], []]);
    });

    it('leaves a node that is Ready again after its release cut off until it has booted', async () => {
      const f = PassFixture.unfenced();
      await f.runFor(2);
      f.cluster.removeVolumeAttachment('va-pv-a-node-a');
      f.cluster.removePod('default', 'pod-a');
      f.setNode(nodeFact({ taints: f.lost.taints }));
      await f.run(); // takes what has ended
      for (let time = 0; time < 3; time++) {
        expect(await f.run()).toEqual({ nextDeadlineMs: f.clock.now() + 10_000 });
        expect([f.effects, f.backend.fences.size]).toEqual([[], 1]);
        await f.clock.advance(10_000);
      }
    });

    it('reads back at once what it has taken away', async () => {
      const f = PassFixture.unfenced();
      await f.runFor(2);
      f.cluster.removeVolumeAttachment('va-pv-a-node-a');
      f.setNode(nodeFact({ bootId: 'next' }));
      const { nextDeadlineMs } = await f.run();
      expect([f.effects, nextDeadlineMs]).toEqual([['unfenced'], f.clock.now()]);
      expect(f.backend.lastReading?.fences).toHaveLength(1);
      expect(await f.run('deadline')).toEqual({});
      expect(f.backend.lastReading?.fences).toEqual([]);
    });

    it('reads again while a fence exists, and no more after it', async () => {
      const f = PassFixture.unfenced();
      await f.run();
      await f.run(); // reads the fence back
      f.cluster.removeVolumeAttachment('va-pv-a-node-a');
      const { nextDeadlineMs } = await f.run();
      expect(nextDeadlineMs).toBe(f.clock.now() + 10_000);
      f.setNode(nodeFact({ bootId: 'next' }));
      await f.run();
      const asked = f.backend.observations.length;
      expect(await f.run()).toEqual({}); // it saw the fence last, and looks once more
      expect(await f.run()).toEqual({});
      expect(f.backend.observations).toHaveLength(asked + 1);
    });
  });

  it('reads no backend while no node is lost and no fence exists', async () => {
    const f = new PassFixture();
    f.setNode(nodeFact());
    f.backend.lastReading = {
      observedAtMs: f.clock.now(),
      evidence: new Map(),
      fenceStates: new Map(),
      unattributed: [],
      fences: [],
    };
    expect(await f.run()).toEqual({});
    expect([f.backend.observations, f.actions.calls]).toEqual([[], []]);
  });

  it('waits for the first reading of a backend, which may show the fence of an earlier process', async () => {
    const f = PassFixture.unfenced();
    f.setNode(nodeFact({ bootId: 'next' }));
    f.cluster.removeVolumeAttachment('va-pv-a-node-a');
    const fence = {
      id: 'fence-0',
      nodeName: 'node-a',
      nodeUid: 'uid-of-node-a',
      bootId: 'before',
      fencedAtMs: 0,
    };
    f.backend.fences.set(fence.id, { ...fence, addresses: ['address-of-node-a'], seenSinceMs: 0 });
    expect(await f.run()).toEqual({ nextDeadlineMs: f.clock.now() + 10_000 });
    expect(f.backend.observations).toEqual([]);
    await f.backend.observe(EMPTY_QUERY, f.abort.signal);
    await f.run();
    expect(f.backend.fences.size).toBe(0);
  });

  it('finds its own fence again, though the volume went before anybody read the backend', async () => {
    const f = PassFixture.unfenced();
    await f.run();
    f.cluster.removeVolumeAttachment('va-pv-a-node-a');
    f.backend.reachable = false;
    await f.run();
    f.backend.reachable = true;
    f.setNode(nodeFact({ bootId: 'next' }));
    await f.run();
    expect(f.backend.fences.size).toBe(0);
  });

  it('asks about the lost nodes with their volumes, and names all others', async () => {
    const f = new PassFixture();
    await f.run();
    const [query] = f.backend.observations;
    expect(query?.owner).toBe(TEST_ATTACHER);
    expect(query?.suspects).toMatchObject([
      {
        name: 'node-a',
        uid: 'uid-of-node-a',
        bootId: 'boot-of-node-a',
        addresses: [{ kind: 'ip', value: 'address-of-node-a' }],
        volumes: [{ volumeHandle: 'handle-of-pv-a', volumeAttributes: {}, singleWriter: true }],
      },
    ]);
    expect(query?.peers.map(({ name }) => name)).toEqual(['node-b', 'node-c', 'node-d', 'node-e']);
  });

  it('names a lost node without a volume at the backend among the others', async () => {
    const f = new PassFixture();
    f.setNode(nodeFact({ name: 'node-b', ready: false, readyObservedAtMs: f.lostSinceMs }));
    await f.run();
    const [query] = f.backend.observations;
    expect(query?.suspects.map(({ name }) => name)).toEqual(['node-a']);
    expect(query?.peers.map(({ name }) => name)).toEqual(['node-b', 'node-c', 'node-d', 'node-e']);
  });

  it('asks nothing about a volume without a handle', async () => {
    const f = new PassFixture();
    const { driver: _driver, volumeHandle: _handle, ...foreign } = persistentVolumeFact();
    f.cluster.setPersistentVolume(foreign);
    await f.run();
    expect(f.backend.observations.map(({ suspects }) => suspects.map(({ volumes }) => volumes))).toEqual([
      [[]],
    ]);
    expect([reason(f), f.writes]).toEqual(['volume-unknown', []]);
  });

  describe('says when to look again', () => {
    it('at the end of the grace, when that comes before the next poll', async () => {
      const f = new PassFixture({ suspectPollMs: 60_000 });
      f.setNode({ ...f.lost, readyObservedAtMs: f.clock.now() - 4_000 });
      expect(await f.run()).toEqual({ nextDeadlineMs: f.clock.now() + 6_000 });
      expect(verdicts(f)).toEqual(['wait']);
    });

    it('at the next poll, when that comes first or the attachment is held', async () => {
      const f = new PassFixture();
      f.setNode({ ...f.lost, readyObservedAtMs: f.clock.now() - 4_000 });
      expect(await f.run()).toEqual({ nextDeadlineMs: f.clock.now() + 2_000 });
      f.setNode(f.lost);
      f.backend.setUnknown('node-a', 'never-seen-live');
      expect(await f.run()).toEqual({ nextDeadlineMs: f.clock.now() + 2_000 });
      expect(verdicts(f)).toEqual(['hold']);
    });

    it('when the backend that is due first is', async () => {
      const { f, backend, other, actions } = twoBackends({ suspectPollMs: 60_000 });
      for (const each of [backend, other]) each.fences.clear();
      backend.beforeChange = () => {
        throw new Error('refused');
      };
      const { nextDeadlineMs } = await f.run();
      expect([f.effects, nextDeadlineMs]).toEqual([['failed', 'fenced'], f.clock.now()]);
      expect([other.fences.size, actions.calls.filter(({ kind }) => kind !== 'getNode')]).toEqual([1, []]);
    });
  });

  it('does not take Nodes for lost that an old cache lacks', async () => {
    const f = new PassFixture();
    const names = ['node-b', 'node-c', 'node-d', 'node-e'];
    for (const name of names) {
      f.attach(`pv-of-${name}`, name, `pod-of-${name}`);
      f.cluster.removeNode(name);
    }
    f.cluster.staleMs = f.policy.maxCacheAgeMs + 1;
    await f.run();
    f.cluster.staleMs = 0;
    for (const name of names) f.setNode(nodeFact({ name }));
    await f.run();
    expect(f.report.decisions[0]?.verdict.kind).toBe('release');
  });

  it('counts Nodes that flap towards a mass failure, though they are back', async () => {
    const f = new PassFixture();
    f.backend.setLive('node-a');
    for (const name of ['node-b', 'node-c', 'node-d']) {
      f.attach(`pv-of-${name}`, name, `pod-of-${name}`);
      f.setNode(nodeFact({ name, ready: false, readyObservedAtMs: f.clock.now() }));
      await f.run();
      f.setNode(nodeFact({ name }));
    }
    f.backend.setSilent('node-a', f.lostSinceMs + 15_000, f.lostSinceMs);
    await f.run();
    expect([reason(f), f.writes]).toEqual(['mass-failure', []]);
  });

  it('counts the grace of a deleted Node from the first view that missed it on a current cache', async () => {
    const f = new PassFixture();
    f.removeNode('node-a');
    f.cluster.synced = false;
    await f.run();
    await f.clock.advance(60_000);
    f.cluster.synced = true;
    await f.run();
    expect(verdicts(f)).toEqual(['wait']);
    await f.clock.advance(10_000);
    await f.run();
    expect(verdicts(f)).toEqual(['release']);
  });

  it('knows a Node that was deleted before it started by the addresses of its pods', async () => {
    const f = new PassFixture();
    f.cluster.removeNode('node-a', { forgotten: true });
    f.actions.removeNode('node-a');
    await f.run();
    expect(f.backend.observations[0]?.suspects).toMatchObject([
      { name: 'node-a', addresses: ipAddresses(['address-of-node-a']), addressesFrom: 'pods' },
    ]);
  });

  describe('a Node that was deleted before it started, without a pod', () => {
    it('is known by the record about its attachments, and fenced', async () => {
      const f = forgotten(['uid-of-va-pv-a-node-a', 'one that is gone']);
      await f.run();
      expect(f.backend.observations[0]?.suspects).toMatchObject([
        { name: 'node-a', addresses: ipAddresses(['10.0.0.1']), addressesFrom: 'pods' },
      ]);
      await f.clock.advance(30_000);
      await f.run();
      expect(f.effects).toEqual(['fenced']);
    });

    it('is looked up once, with all others of its kind', async () => {
      const f = forgotten([]);
      f.attach('pv-z', 'node-z', 'pod-z');
      f.cluster.removePod('default', 'pod-z');
      await f.run();
      expect(f.report.decisions.map(({ node }) => node.kind)).toEqual(['gone', 'gone']);
      expect(f.records.reads).toBe(1);
    });

    it('is not known by a record about others', async () => {
      const f = forgotten(['one that is gone']);
      await f.run();
      await f.clock.advance(30_000);
      await f.run();
      expect([reason(f), f.writes]).toEqual(['storage-unknown', []]);
    });
  });

  describe('with two backends', () => {
    it('does not let a backend that hangs delay volumes at the other, and ends when both have', async () => {
      const { f, backend, actions } = twoBackends();
      const hang = Promise.withResolvers<void>();
      backend.before = () => hang.promise;
      let ended = false;
      const run = f.run().then(() => (ended = true));
      await settle();
      expect(actions.calls.filter(({ kind }) => kind === 'forceDeletePod').map(({ name }) => name)).toEqual([
        'pod-b',
      ]);
      expect(ended).toBe(false);
      hang.resolve();
      await run;
      expect(actions.calls.filter(({ kind }) => kind === 'forceDeletePod').map(({ name }) => name)).toEqual([
        'pod-b',
        'pod-a',
      ]);
    });

    it('does not let a backend that cannot be reached hold volumes at the other', async () => {
      const { f, backend } = twoBackends();
      backend.reachable = false;
      await f.run();
      const kinds = f.report.decisions.map(({ volume, verdict }) => [volume?.name, verdict.kind]);
      expect(kinds).toEqual([
        ['pv-a', 'hold'],
        ['pv-b', 'release'],
      ]);
    });

    it('fails when a part does, once the others have ended and were reported', async () => {
      const { f, backend } = twoBackends();
      backend.before = () => {
        throw new Error('a bug');
      };
      await expect(f.run()).rejects.toThrow('a bug');
      expect(f.effects).toEqual(['pod-deleted', 'detach-requested']);
    });
  });

  describe('with early detection', () => {
    const policy = { earlyDetection: { enabled: true, leaseStaleMs: 20_000 } } as const;

    it('suspects a Ready node whose Lease went stale on a Lease cache that is current', async () => {
      const f = PassFixture.unfenced(policy);
      f.setNode(nodeFact());
      f.cluster.setNodeLease({ nodeName: 'node-a', uid: 'l', renewTime: 't', observedAtMs: f.clock.now() });
      f.actions.setNodeLeaseRenewTime('node-a', 't');
      await f.clock.advance(20_000);
      await f.run();
      expect(f.report.decisions).toEqual([]);
      await f.clock.advance(1);
      f.cluster.staleMs = 1_000;
      await f.run();
      expect(f.report.decisions).toEqual([]);
      f.cluster.staleMs = 0;
      await f.run();
      expect(f.report.decisions[0]?.node.kind).toBe('lease-stale');
      await f.clock.advance(10_000);
      await f.run();
      expect(f.effects).toEqual(['fenced']);
    });

    it.each([true, false])(
      'lets pods back on the node once every backend says that no fence is left: %s',
      async (isRead) => {
        const { f, backend, other, setNode } = twoBackends(policy);
        for (const each of [backend, other]) each.fences.clear();
        const taint = {
          key: 'reattach.srvlab.io/fenced',
          value: 'test.csi.reattach.io',
          effect: 'NoSchedule',
        };
        setNode(nodeFact({ taints: [taint] }));
        const query = EMPTY_QUERY;
        await backend.observe(query, f.abort.signal);
        if (isRead) await other.observe(query, f.abort.signal);
        await f.run();
        expect(f.effects).toEqual(isRead ? ['fenced-taint-removed'] : []);
      },
    );

    it('suspects no node without it', async () => {
      const f = PassFixture.unfenced();
      f.setNode(nodeFact());
      f.cluster.setNodeLease({ nodeName: 'node-a', uid: 'l', renewTime: 't', observedAtMs: 0 });
      await f.run();
      expect(f.report.decisions).toEqual([]);
    });
  });

  it('finds a volume of a backend that no pass waits for, once its PersistentVolume is known', async () => {
    const f = new PassFixture({ strategy: 'delete' });
    const volume = f.cluster.persistentVolume('pv-a');
    f.cluster.removePersistentVolume('pv-a');
    const { nextDeadlineMs = Number.NaN } = await f.run();
    expect(reason(f)).toBe('volume-unknown');
    if (volume) f.cluster.setPersistentVolume(volume);
    await f.clock.advance(nextDeadlineMs - f.clock.now());
    await f.run('deadline');
    expect(verdicts(f)).toEqual(['release']);
  });

  it('goes on asking a backend that could not be read since a fence was made', async () => {
    const f = PassFixture.unfenced();
    await f.run();
    f.backend.reachable = false;
    f.setNode(nodeFact({ bootId: 'another boot' }));
    let { nextDeadlineMs = Number.NaN } = await f.run('deadline');
    f.backend.reachable = true;
    for (let pass = 0; pass < 2; pass++) {
      await f.clock.advance(nextDeadlineMs - f.clock.now());
      ({ nextDeadlineMs = Number.NaN } = await f.run('deadline'));
    }
    expect([...f.backend.fences.keys()]).toEqual([]);
  });

  it('reads back a fence whose outcome is unknown', async () => {
    const f = PassFixture.unfenced();
    f.backend.beforeChange = (call) => {
      if (call.kind !== 'fence') return;
      f.backend.fences.set(call.fence.id, {
        ...call.fence,
        addresses: call.addresses,
        seenSinceMs: f.clock.now(),
      });
      throw new Error('no answer came');
    };
    await f.run();
    expect(f.effects).toEqual(['failed']);
    f.setNode(nodeFact({ bootId: 'another boot' }));
    await f.clock.advance(2_000);
    for (let pass = 0; pass < 2; pass++) await f.run('deadline');
    expect([...f.backend.fences.keys()]).toEqual([]);
    expect(f.backend.calls.map(({ kind }) => kind)).toEqual(['fence', 'unfence']);
  });

  it('looks again at once after the clock was set back', async () => {
    const f = new PassFixture({ mode: 'observe' });
    await f.run();
    const now = f.clock.now.bind(f.clock);
    f.clock.now = () => now() - 3_600_000;
    await f.run('deadline');
    expect(f.backend.observations).toHaveLength(2);
  });
});

/** The first term ends while the backend hangs. */
async function afterOneTerm(f: PassFixture): Promise<void> {
  const ended = Promise.withResolvers<void>();
  f.backend.before = () => ended.promise;
  const run = f.run('startup').catch((err: unknown) => err);
  await settle();
  f.abort.abort(new Error('not the leader'));
  ended.reject(f.abort.signal.reason);
  await f.clock.advance(1_000);
  expect(await run).toEqual(new Error('not the leader'));
  f.abort = new AbortController();
  f.backend.before = () => undefined;
}

describe('a new term of ReleasePass', () => {
  it('does not fail with how the last one ended', async () => {
    const f = new PassFixture({ strategy: 'delete' });
    await afterOneTerm(f);
    await f.run('startup');
    expect(f.writes).toEqual(['forceDeletePod pod-a', 'deleteVolumeAttachment va-pv-a-node-a']);
  });

  it('reports nothing that the last one decided', async () => {
    const f = new PassFixture({ mode: 'observe' });
    await f.run('startup');
    await f.clock.advance(3_600_000);
    f.backend.before = () => new Promise(() => undefined);
    const run = f.run('startup');
    await f.clock.advance(1_000);
    await run;
    await f.run('deadline');
    expect(f.reports.map(({ decisions }) => decisions.length)).toEqual([1, 0]);
  });

  it('counts the absence of a node from the start: it may have been there meanwhile', async () => {
    const f = new PassFixture({ strategy: 'delete' });
    f.removeNode('node-a');
    f.backend.setLive('node-a');
    await f.run('startup');
    await f.clock.advance(3_600_000);
    await f.run('startup');
    expect(f.report.decisions.map(({ verdict }) => verdict.kind)).toEqual(['wait']);
  });

  it('reads every backend before it lets pods back to a node: another replica may have fenced it', async () => {
    const f = PassFixture.unfenced();
    f.cluster.removeVolumeAttachment('va-pv-a-node-a');
    f.setNode(
      nodeFact({
        taints: [{ key: 'reattach.srvlab.io/fenced', value: 'test.csi.reattach.io', effect: 'NoSchedule' }],
      }),
    );
    await f.backend.observe(EMPTY_QUERY, f.abort.signal);
    const fence = { id: 'f1', nodeName: 'node-a', fencedAtMs: 0, addresses: ['a'], seenSinceMs: 0 };
    f.backend.fences.set(fence.id, fence); // since that reading
    const hang = Promise.withResolvers<void>();
    f.backend.before = () => hang.promise;
    const first = f.run('startup');
    await f.clock.advance(1_000);
    await first;
    hang.resolve();
    await f.settled();
    await f.run('deadline');
    expect(f.writes).toEqual([]);
  });
});
