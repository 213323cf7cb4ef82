import { FakeClock } from '@reattach/core/testing';
import { describe, expect, it } from 'vitest';
import { KubeSim } from './kube-sim.ts';
import { WatchReader } from './watch-reader.test-support.ts';

const STREAM = 'sendInitialEvents=true&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=true';
const bound = () => AbortSignal.timeout(60_000);
const nodes = (sim: KubeSim, query: string) => `${sim.url}/api/v1/nodes?watch=true&${query}`;

describe('a streaming list', () => {
  it('sends everything there is, a bookmark that ends it, then changes', async () => {
    await using sim = await KubeSim.start({ clock: new FakeClock() });
    sim.addNode({ name: 'a' });
    sim.addNode({ name: 'b' });
    await using watcher = await WatchReader.open(nodes(sim, STREAM), bound());
    const { resourceVersion } = sim.store;
    sim.addNode({ name: 'c' });
    expect(await watcher.take(4)).toMatchObject([
      { type: 'ADDED', object: { metadata: { name: 'a' } } },
      { type: 'ADDED', object: { metadata: { name: 'b' } } },
      {
        type: 'BOOKMARK',
        object: {
          kind: 'Node',
          metadata: {
            resourceVersion: String(resourceVersion),
            annotations: { 'k8s.io/initial-events-end': 'true' },
          },
        },
      },
      { type: 'ADDED', object: { metadata: { name: 'c' } } },
    ]);
  });

  it('of nothing is only the bookmark, and later bookmarks do not say that they end it', async () => {
    await using sim = await KubeSim.start({ clock: new FakeClock() });
    await using watcher = await WatchReader.open(nodes(sim, STREAM), bound());
    sim.sendBookmarks();
    const [first, second] = await watcher.take(2);
    expect(first?.object.metadata.annotations).toEqual({ 'k8s.io/initial-events-end': 'true' });
    expect(second?.type).toBe('BOOKMARK');
    expect(second?.object.metadata).not.toHaveProperty('annotations');
  });

  it('sends no initial events when they are switched off', async () => {
    await using sim = await KubeSim.start({ clock: new FakeClock() });
    sim.addNode({ name: 'a' });
    const query = 'sendInitialEvents=false&resourceVersionMatch=NotOlderThan';
    await using watcher = await WatchReader.open(nodes(sim, query), bound());
    sim.addNode({ name: 'b' });
    expect(await watcher.take(1)).toMatchObject([{ type: 'ADDED', object: { metadata: { name: 'b' } } }]);
  });

  it.each([
    ['switched off', false, STREAM, /WatchList feature gate/],
    ['without resourceVersionMatch', true, 'sendInitialEvents=true', /requires setting resourceVersionMatch/],
    ['without sendInitialEvents', true, 'resourceVersionMatch=NotOlderThan', /unless sendInitialEvents/],
  ])('%s is refused with 422', async (_situation, streamingLists, query, message) => {
    await using sim = await KubeSim.start({ clock: new FakeClock(), streamingLists });
    const response = await fetch(nodes(sim, query), { signal: bound() });
    expect(await response.json()).toMatchObject({ code: 422, message: expect.stringMatching(message) });
  });
});
