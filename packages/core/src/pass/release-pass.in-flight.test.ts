import { describe, expect, it } from 'vitest';
import { fenceAt, PassFixture } from '../../test/pass-fixture.ts';
import { ipAddresses } from '../model/storage-address.ts';
import { EMPTY_QUERY } from '../model/storage-query.ts';
import { nodeFact } from '../testing/fact-builders.ts';
import { settle } from '../testing/fake-clock.ts';
import { FakeStorageBackend, fakeFleet } from '../testing/fake-storage-backend.ts';

const MANY = { maxNodes: 99, maxFraction: 1, maxNodesPerWindow: 99, windowMs: 1 };

/** Longer than a pass waits for what it has begun, ms. */
const LONG_MS = 1_000;

/** `node-b` is lost, too; every call about `node-a` hangs until `answer` is called. */
function hangingNode() {
  const f = new PassFixture({ strategy: 'delete', breaker: MANY });
  const hang = Promise.withResolvers<void>();
  f.actions.before = ({ name }) => (name === 'node-a' ? hang.promise : undefined);
  const loseNodeB = () => {
    const { readyObservedAtMs, taints } = f.lost;
    f.setNode(nodeFact({ name: 'node-b', ready: false, readyObservedAtMs, taints }));
    f.attach('pv-b', 'node-b', 'pod-b');
    f.backend.setSilent('node-b', f.lostSinceMs + 15_000);
    fenceAt(f.backend, f.lostSinceMs, 'node-b');
  };
  return { f, answer: hang.resolve, loseNodeB };
}

/** `pv-b` of the lost `node-a` is at `backend-b`; `backend-a` hangs until `answer` is called. */
function hangingBackend() {
  const other = new FakeStorageBackend(new PassFixture().clock, 'backend-b');
  const f = new PassFixture({ strategy: 'delete' });
  const both = new PassFixture(
    { strategy: 'delete' },
    { fleet: fakeFleet(f.backend, other), cluster: f.cluster, actions: f.actions, clock: f.clock },
  );
  f.attach('pv-b', 'node-a', 'pod-b', { address: 'backend-b' });
  other.setUnknown('node-a', 'never-seen-live');
  const hang = Promise.withResolvers<void>();
  f.backend.before = () => hang.promise;
  return { f: both, clock: f.clock, backend: f.backend, other, answer: hang.resolve };
}

/** Runs passes for `forMs`, each as the last one asked for, or when work that outlasts it ends. */
async function runOnDeadlines(f: PassFixture, forMs: number): Promise<number> {
  const endMs = f.clock.now() + forMs;
  let passes = 0;
  while (f.clock.now() < endMs) {
    passes++;
    f.wakes = 0;
    const dues: number[] = [];
    const run = f.run('deadline').then(({ nextDeadlineMs = endMs }) => dues.push(nextDeadlineMs));
    while (dues.length === 0) await f.clock.advance(10);
    await run;
    const untilMs = Math.min(endMs, ...dues);
    do await f.clock.advance(50);
    while (f.clock.now() < untilMs && f.wakes === 0);
  }
  return passes;
}

async function after(f: PassFixture, delayMs: number): Promise<void> {
  const ended = Promise.withResolvers<void>();
  using _timer = f.clock.after(delayMs, ended.resolve);
  await ended.promise;
}

/** `pv-a` and `pv-b` of the lost `node-a` are at a backend each; writes for them hang until `answer` is called. */
function releasedAtTwoBackends() {
  const clock = new PassFixture().clock;
  const [backend, other] = [new FakeStorageBackend(clock), new FakeStorageBackend(clock, 'backend-b')];
  const f = new PassFixture({ strategy: 'delete' }, { fleet: fakeFleet(backend, other) }, clock);
  f.attach('pv-b', 'node-a', 'pod-b', { address: 'backend-b' });
  for (const each of [backend, other]) {
    each.setSilent('node-a', f.lostSinceMs + 15_000, f.lostSinceMs);
    fenceAt(each, f.lostSinceMs);
  }
  const hang = Promise.withResolvers<void>();
  f.actions.before = () => hang.promise;
  return { f, other, answer: hang.resolve };
}

describe('work that outlasts a pass', () => {
  it('is waited for no longer than the patience of the pass', async () => {
    const { f } = hangingNode();
    const run = f.run();
    await f.clock.advance(LONG_MS);
    await run;
    expect(f.writes).toEqual([]);
    expect(f.clock.pendingTimers).toBe(0);
  });

  it('does not keep a later pass from releasing another node', async () => {
    const { f, loseNodeB } = hangingNode();
    const first = f.run();
    await f.clock.advance(LONG_MS);
    await first;
    loseNodeB();
    await f.run('node-not-ready'); // without a tick of the clock
    expect(f.writes).toEqual(['forceDeletePod pod-b', 'deleteVolumeAttachment va-pv-b-node-b']);
  });

  it('is not begun again, and reported by the pass after its end', async () => {
    const { f, answer } = hangingNode();
    const first = f.run();
    await f.clock.advance(LONG_MS);
    await first;
    await f.run();
    expect(f.effects).toEqual([]);
    answer();
    await f.settled();
    await f.run('deadline');
    expect(f.effects).toEqual(['pod-deleted', 'detach-requested']);
    expect(f.writes).toEqual(['forceDeletePod pod-a', 'deleteVolumeAttachment va-pv-a-node-a']);
  });

  it('requests one pass when it ends, and none before', async () => {
    const { f, answer } = hangingNode();
    const first = f.run();
    await f.clock.advance(LONG_MS);
    await first;
    await f.clock.advance(60_000);
    expect(f.wakes).toBe(0);
    answer();
    await f.settled();
    expect(f.wakes).toBe(1);
  });

  it('of a backend that hangs for 10 s causes at most 5 passes', async () => {
    const f = new PassFixture({ mode: 'observe', suspectPollMs: 60_000 });
    f.backend.before = () => after(f, 10_000);
    expect(await runOnDeadlines(f, 12_000)).toBeLessThanOrEqual(5);
  });

  it('is not joined by more than may be in flight; the rest follows', async () => {
    const f = new PassFixture({ strategy: 'delete', breaker: MANY });
    for (let index = 0; index < 10; index++) {
      const name = `lost-${index}`;
      f.setNode(nodeFact({ name, ready: false, readyObservedAtMs: f.lostSinceMs }));
      f.attach(`pv-${index}`, name, `pod-${index}`);
      f.backend.setSilent(name, f.lostSinceMs + 15_000);
      fenceAt(f.backend, f.lostSinceMs, name);
    }
    const { nextDeadlineMs } = await f.run();
    const deleted = () => f.writes.filter((write) => write.startsWith('deleteVolumeAttachment')).length;
    expect([deleted(), (nextDeadlineMs ?? 0) - f.clock.now()]).toEqual([8, 0]);
    for (const write of f.writes) f.cluster.removeVolumeAttachment(write.split(' ')[1] ?? '');
    await f.run();
    expect(deleted()).toBe(11);
  });

  it('gives way to those there was no room for, though it fails again and again', async () => {
    const f = new PassFixture({ strategy: 'delete', breaker: MANY });
    for (let index = 0; index < 10; index++) {
      const name = `lost-${index}`;
      f.setNode(nodeFact({ name, ready: false, readyObservedAtMs: f.lostSinceMs }));
      f.attach(`pv-${index}`, name, `pod-${index}`);
      f.backend.setSilent(name, f.lostSinceMs + 15_000);
      fenceAt(f.backend, f.lostSinceMs, name);
    }
    f.actions.before = async ({ name }) => {
      if (name.endsWith('-9')) return;
      await after(f, 5_000);
      throw new Error('timed out');
    };
    await runOnDeadlines(f, 20_000);
    expect(f.writes).toContain('deleteVolumeAttachment va-pv-9-lost-9');
  });

  it('serves 50 nodes first come, first served, though every detach hangs', async () => {
    const f = new PassFixture({ strategy: 'delete', breaker: MANY });
    const names = Array.from({ length: 50 }, (_, index) => `lost-${index}`);
    for (const name of names) {
      f.setNode(nodeFact({ name, ready: false, readyObservedAtMs: f.lostSinceMs }));
      f.attach(`pv-of-${name}`, name, `pod-of-${name}`);
      f.backend.setSilent(name, f.lostSinceMs + 15_000);
      fenceAt(f.backend, f.lostSinceMs, name);
    }
    const tried = new Set<string>();
    f.actions.before = async (call) => {
      if (call.kind !== 'forceDeletePod') return;
      tried.add(call.pod.nodeName);
      await after(f, 2_000);
      throw new Error('timed out');
    };
    await runOnDeadlines(f, 30_000);
    expect([...tried].toSorted()).toEqual(['node-a', ...names].toSorted());
  });

  it('is waited for by settled(), and by a pass that is aborted', async () => {
    const { f, answer } = hangingNode();
    const run = f.run().catch((err: unknown) => err);
    await settle();
    f.abort.abort(new Error('shutting down'));
    let ended = false;
    const all = Promise.all([f.settled(), run]).then(() => (ended = true));
    await f.clock.advance(LONG_MS);
    expect(ended).toBe(false);
    answer();
    await all;
    expect(await run).toEqual(new Error('shutting down'));
    expect(f.writes).toEqual([]);
  });

  it('of a backend that hangs lets the next pass read the others; what was decided about its volumes still counts', async () => {
    const { f, clock, backend, other, answer } = hangingBackend();
    const first = f.run();
    await clock.advance(LONG_MS);
    await first;
    await f.run('storage-reconnected');
    expect([backend.observations.length, other.observations.length]).toEqual([1, 2]);
    expect(f.report.decisions.map(({ volume }) => volume?.name)).toEqual(['pv-b']);
    answer();
    await f.settled();
    await f.run('deadline'); // there was news while it hung
    expect(backend.observations).toHaveLength(2);
    const decided = f.report.decisions.map(({ volume, verdict }) => [volume?.name, verdict.kind]);
    expect(decided).toEqual([
      ['pv-b', 'hold'],
      ['pv-a', 'release'],
    ]);
  });

  it('writes nothing more once a later pass has decided otherwise', async () => {
    const { f, answer } = hangingNode();
    const first = f.run();
    await f.clock.advance(LONG_MS);
    await first;
    f.backend.setLive('node-a'); // NotReady still, but its host is back at the backend
    await f.run();
    answer();
    await f.settled();
    await f.run('deadline');
    expect([f.writes, f.effects]).toEqual([[], ['superseded']]);
  });

  it('costs no reading of the backend beyond those that come anyway', async () => {
    const f = new PassFixture({ strategy: 'delete' });
    f.actions.before = () => after(f, 60_000);
    await runOnDeadlines(f, 20_000);
    expect(f.backend.observations.length).toBe(20_000 / f.policy.suspectPollMs);
  });

  it('is followed at once by what waited for it', async () => {
    const { f, other, answer } = releasedAtTwoBackends();
    const first = f.run();
    await f.clock.advance(300);
    await first;
    answer();
    await f.settled();
    await f.run('deadline');
    const looks = other.observations.length;
    await f.run('deadline');
    await f.settled();
    expect([other.observations.length - looks, f.writes.at(-1)]).toEqual([
      1,
      'deleteVolumeAttachment va-pv-b-node-a',
    ]);
  });

  it('of a backend that is always slow does not make passes look, or ask it, more often', async () => {
    const f = new PassFixture({ mode: 'observe' });
    f.backend.before = () => after(f, 600);
    let looks = 0;
    const nodes = f.cluster.nodes.bind(f.cluster);
    f.cluster.nodes = () => {
      looks++;
      return nodes();
    };
    await runOnDeadlines(f, 20_000);
    const readings = 20_000 / f.policy.suspectPollMs;
    expect(f.backend.observations.length).toBeLessThanOrEqual(readings);
    expect(looks).toBeLessThanOrEqual(2 * readings); // one for whole nodes
  });

  it('may have read the backend before a fence was made: it is read once more', async () => {
    const f = PassFixture.unfenced();
    const fencing = Promise.withResolvers<void>();
    f.backend.beforeChange = () => fencing.promise;
    const first = f.run();
    await f.clock.advance(300);
    await first;
    const answered = Promise.withResolvers<void>();
    const observe = f.backend.observe.bind(f.backend);
    f.backend.observe = async (query, signal) => {
      const reading = await observe(query, signal);
      await answered.promise;
      return reading;
    };
    const second = f.run(); // reads what there is before the fence
    await f.clock.advance(300);
    await second;
    fencing.resolve();
    await settle();
    f.setNode(nodeFact({ ready: true, bootId: 'another boot' }));
    await f.run('deadline');
    expect(f.effects).toEqual(['fenced']);
    answered.resolve();
    await settle();
    for (let pass = 0; pass < 3; pass++) await f.run('deadline');
    expect([...f.backend.fences.keys()]).toEqual([]);
  });

  it('may have made a fence though it failed, of a node that came back meanwhile', async () => {
    const f = PassFixture.unfenced();
    const answer = Promise.withResolvers<void>();
    f.backend.beforeChange = async ({ kind }) => {
      if (kind === 'fence') await answer.promise;
    };
    const first = f.run();
    await f.clock.advance(300);
    await first;
    f.setNode(nodeFact({ bootId: 'another boot' }));
    await f.run('periodic'); // no node is lost, so no pass waits for the backend
    const [call] = f.backend.calls;
    if (call?.kind === 'fence')
      f.backend.fences.set(call.fence.id, { ...call.fence, addresses: call.addresses, seenSinceMs: 0 });
    answer.reject(new Error('no answer came'));
    await settle();
    await runOnDeadlines(f, 2 * f.policy.fence.pollMs);
    expect([...f.backend.fences.keys()]).toEqual([]);
  });

  it('of a backend has whole nodes decided once more when it ends: their taint goes after the last fence', async () => {
    const f = PassFixture.unfenced();
    f.cluster.removeVolumeAttachment('va-pv-a-node-a');
    f.setNode(
      nodeFact({
        taints: [{ key: 'reattach.srvlab.io/fenced', value: 'test.csi.reattach.io', effect: 'NoSchedule' }],
      }),
    );
    await f.backend.observe(EMPTY_QUERY, f.abort.signal);
    const addresses = ipAddresses(['a']);
    const fence = {
      id: 'f1',
      nodeName: 'node-a',
      fencedAtMs: 0,
      addresses,
      inForce: addresses,
      seenSinceMs: 0,
    };
    f.backend.lastReading = {
      ...f.backend.lastReading,
      observedAtMs: 0,
      evidence: new Map(),
      fenceStates: new Map(),
      unattributed: [],
      fences: [fence],
    };
    const hang = Promise.withResolvers<void>();
    f.backend.before = () => hang.promise;
    const first = f.run();
    await f.clock.advance(LONG_MS);
    await first;
    hang.resolve(); // the reading shows no fence
    await f.settled();
    for (let pass = 0; pass < 2; pass++) await f.run('deadline');
    expect(f.writes).toEqual(['removeFencedTaint node-a']);
  });
});
