import { describe, expect, it } from 'vitest';
import { PassFixture } from '../../test/pass-fixture.ts';
import type { Policy } from '../model/policy.ts';
import { EMPTY_QUERY } from '../model/storage-query.ts';
import { nodeFact } from '../testing/fact-builders.ts';
import { FakeLostNodeRecords } from '../testing/fake-lost-node-records.ts';
import { FakeStorageBackend, fakeFleet } from '../testing/fake-storage-backend.ts';
import { PlanPreview } from './plan-preview.ts';

/** A preview beside the passes of the fixture; `leading: false`: a replica of its own, which has no passes. */
function planPreview(f: PassFixture, leading = true): PlanPreview {
  const { cluster, clock, policy } = f;
  const fleet = fakeFleet(f.backend);
  return new PlanPreview({ cluster, clock, policy, fleet, ...(leading && { history: () => f.history }) });
}

describe('PlanPreview', () => {
  it.each<[string, Partial<Policy>, (f: PassFixture) => void]>([
    ['a fenced node', {}, () => undefined],
    ['a fenced node in mode observe', { mode: 'observe' }, () => undefined],
    ['a silent node', {}, (f) => f.backend.fences.clear()],
    ['a silent node in mode observe', { mode: 'observe' }, (f) => f.backend.fences.clear()],
    ['a node that still writes', {}, (f) => f.backend.setLive('node-a')],
    ['a backend that cannot be reached', {}, (f) => (f.backend.reachable = false)],
    ['a backend without a live host', {}, (f) => (f.backend.liveHosts = 0)],
    ['a cache that is not synced', {}, (f) => (f.cluster.synced = false)],
    ['a Node that is gone', {}, (f) => f.removeNode('node-a')],
    ['a Node that is ready', {}, (f) => f.setNode(nodeFact())],
  ])('says what the pass decided: %s', async (_what, policy, change) => {
    const f = new PassFixture(policy);
    change(f);
    for (let time = 0; time < 3; time++) {
      await f.run();
      const { decisions, cleanups } = planPreview(f).inspect(f.clock.now());
      expect(decisions.length).toBe(1);
      const atStake = decisions.filter(({ node }) => node.kind !== 'ready');
      expect(atStake.map(({ rule, verdict }) => ({ rule, verdict }))).toEqual(
        f.report.decisions.map(({ rule, verdict }) => ({ rule, verdict })),
      );
      expect(cleanups).toEqual(f.report.cleanups);
      await f.clock.advance(f.policy.gracePeriodMs);
    }
  });

  it('counts nodes that were lost and are back, as passes remember them', async () => {
    const breaker = { maxNodes: 1, maxFraction: 1, maxNodesPerWindow: 1, windowMs: 600_000 };
    const f = new PassFixture({ breaker });
    f.attach('pv-b', 'node-b', 'pod-b');
    f.setNode(nodeFact({ name: 'node-b', ready: false, readyObservedAtMs: f.lostSinceMs }));
    await f.run();
    f.setNode(nodeFact({ name: 'node-b' }));
    expect(planPreview(f).inspect(f.clock.now()).decisions[0]?.rule).toBe('no-mass-failure');
  });

  it('makes nothing of what a backend says that a pass would not ask', async () => {
    const f = new PassFixture();
    f.setNode(nodeFact());
    f.backend.fences.clear();
    f.backend.liveHosts = 0;
    await f.backend.observe(EMPTY_QUERY, f.abort.signal);
    expect(planPreview(f).inspect(f.clock.now()).decisions).toMatchObject([
      { rule: 'node-lost', verdict: { kind: 'keep' } },
    ]);
  });

  it('knows addresses that only the records of an earlier process name, as passes do', async () => {
    const records = new FakeLostNodeRecords();
    const f = new PassFixture({ mode: 'fence' }, { records });
    f.cluster.removeNode('node-a', { forgotten: true });
    f.actions.removeNode('node-a');
    f.cluster.removePod('default', 'pod-a');
    await records.write(
      'node-a',
      { addresses: ['recorded'], attachmentUids: ['uid-of-va-pv-a-node-a'] },
      f.abort.signal,
    );
    await f.run();
    await f.clock.advance(f.policy.gracePeriodMs);
    await f.run();
    const [decided] = f.report.decisions;
    expect(decided?.fence).toMatchObject({ kind: 'open', addresses: [{ kind: 'ip', value: 'recorded' }] });
    expect(planPreview(f).inspect(f.clock.now()).decisions[0]?.fence).toEqual(decided?.fence);
  });

  it('asks no backend, writes nothing and leaves the grace of a Node that is gone to the passes', async () => {
    const f = PassFixture.unfenced();
    f.removeNode('node-a');
    planPreview(f).inspect(f.clock.now());
    expect([f.backend.observations, f.backend.calls, f.writes]).toEqual([[], [], []]);
    await f.clock.advance(f.policy.gracePeriodMs);
    await f.run();
    expect(f.report.decisions[0]?.node).toMatchObject({ kind: 'gone', sinceMs: f.clock.now() });
  });

  it('still knows what the backend said about a node after the backend read itself while idle', async () => {
    const f = new PassFixture();
    await f.run();
    await f.clock.advance(1_000);
    await f.backend.observe(EMPTY_QUERY, f.abort.signal);
    expect(planPreview(f).inspect(f.clock.now()).decisions[0]?.evidence.kind).toBe('silent');
  });

  describe('where no passes run', () => {
    it('knows nothing of what a backend says about a lost node, and so would hold', async () => {
      const f = new PassFixture();
      await f.backend.observe(EMPTY_QUERY, f.abort.signal);
      expect(planPreview(f, false).inspect(f.clock.now()).decisions).toMatchObject([
        { rule: 'storage-known', evidence: { kind: 'unknown', reason: 'no-storage-reading' } },
      ]);
    });

    it('decides by readings it is given, asked for with the very query of a pass', async () => {
      const f = new PassFixture();
      const look = planPreview(f, false);
      const queries = look.queries(f.clock.now());
      const readings = new Map();
      for (const [backend, query] of queries)
        readings.set(backend.name, await backend.observe(query, f.abort.signal));
      await f.run();
      expect(f.backend.observations[0]).toEqual(f.backend.observations[1]);
      expect(look.inspect(f.clock.now(), { readings }).decisions).toMatchObject([
        { verdict: { kind: 'release' } },
      ]);
    });

    it('has nothing to ask a backend that holds no volume of a lost node', () => {
      const f = new PassFixture();
      const other = new FakeStorageBackend(f.clock, 'backend-b');
      const { cluster, clock, policy } = f;
      const look = new PlanPreview({ cluster, clock, policy, fleet: fakeFleet(f.backend, other) });
      expect([...look.queries(clock.now()).keys()]).toEqual([f.backend]);
    });

    it('counts a Node as gone since that was recorded, else since its first preview', async () => {
      const f = new PassFixture();
      f.removeNode('node-a');
      const informed = planPreview(f, false);
      const startedAtMs = f.clock.now();
      informed.recordGone('node-a', startedAtMs);
      await f.clock.advance(5_000);
      const late = planPreview(f, false);
      const since = (look: PlanPreview) => look.inspect(f.clock.now()).decisions[0]?.node;
      expect([since(informed), since(late)]).toMatchObject([
        { sinceMs: startedAtMs },
        { sinceMs: startedAtMs + 5_000 },
      ]);
    });

    it('forgets an absence that ended', async () => {
      const f = new PassFixture();
      const look = planPreview(f, false);
      look.recordGone('node-a', f.clock.now());
      look.inspect(f.clock.now());
      f.removeNode('node-a');
      await f.clock.advance(5_000);
      expect(look.inspect(f.clock.now()).decisions[0]?.node).toMatchObject({ sinceMs: f.clock.now() });
    });
  });
});
