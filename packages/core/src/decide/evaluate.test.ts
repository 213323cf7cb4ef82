import { describe, expect, it } from 'vitest';
import { PassFixture } from '../../test/pass-fixture.ts';
import { nodeFact } from '../testing/fact-builders.ts';
import { FakeClock } from '../testing/fake-clock.ts';
import { FakeStorageBackend, fakeFleet } from '../testing/fake-storage-backend.ts';

describe('evaluate', () => {
  it('counts lost nodes towards a mass failure whichever backend holds their volumes', async () => {
    const clock = new FakeClock();
    const backends = [new FakeStorageBackend(clock), new FakeStorageBackend(clock, 'backend-b')];
    const breaker = { maxNodes: 1, maxFraction: 0, maxNodesPerWindow: 10, windowMs: 600_000 };
    const f = new PassFixture({ breaker }, { fleet: fakeFleet(...backends) }, clock);
    f.setNode(nodeFact({ name: 'node-b', ready: false, readyObservedAtMs: f.lostSinceMs }));
    f.attach('pv-b', 'node-b', 'pod-b', { address: 'backend-b' });
    for (const backend of backends)
      for (const name of ['node-a', 'node-b']) backend.setSilent(name, f.lostSinceMs);
    await f.run();
    expect(f.report.decisions.map(({ attachment, rule }) => [attachment.nodeName, rule])).toEqual([
      ['node-a', 'no-mass-failure'],
      ['node-b', 'no-mass-failure'],
    ]);
    expect(f.writes).toEqual([]);
  });
});
