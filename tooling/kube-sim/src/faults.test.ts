import assert from 'node:assert/strict';
import { FakeClock, settle } from '@reattach/core/testing';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { KubeSim } from './kube-sim.ts';
import { WatchReader } from './watch-reader.test-support.ts';

const bound = () => AbortSignal.timeout(60_000);

const version = (object: { readonly metadata: { readonly resourceVersion: string } } | undefined) =>
  Number(object?.metadata.resourceVersion);

describe('Faults', () => {
  let clock: FakeClock;
  let sim: KubeSim;

  beforeEach(async () => {
    clock = new FakeClock();
    sim = await KubeSim.start({ clock });
  });
  afterEach(async () => {
    await sim[Symbol.asyncDispose]();
    assert.equal(clock.pendingTimers, 0);
  });

  const list = (query = '') => fetch(`${sim.url}/api/v1/nodes?${query}`, { signal: bound() });
  const watch = (query = '') => WatchReader.open(`${sim.url}/api/v1/nodes?watch=true&${query}`, bound());

  const names = async (query: string) => {
    const { items } = (await (await list(query)).json()) as { items: { metadata: { name: string } }[] };
    return items.map(({ metadata }) => metadata.name);
  };

  it('throttle as the API server does: a plain text and Retry-After, until the storm is over', async () => {
    const storm = sim.faults.add({ path: /nodes/ }, { kind: 'throttle' }, Number.POSITIVE_INFINITY);
    for (let round = 0; round < 3; round++) {
      const response = await list(round === 2 ? 'watch=true' : '');
      expect([response.status, response.headers.get('retry-after'), await response.text()]).toEqual([
        429,
        '1',
        'Too many requests, please try again later.\n',
      ]);
    }
    expect(storm.hits).toBe(3);
    storm[Symbol.dispose]();
    expect((await list()).status).toBe(200);
  });

  it('never open a watch that hangs', async () => {
    sim.faults.add({ watch: true }, { kind: 'hang' });
    const controller = new AbortController();
    const opening = WatchReader.open(`${sim.url}/api/v1/nodes?watch=true`, controller.signal);
    const request = await sim.waitFor({ watch: true }, bound());
    sim.addNode({ name: 'a' });
    await clock.advance(600_000);
    expect([request.status, sim.openWatches]).toEqual([undefined, []]);
    controller.abort(new Error('gave up'));
    await expect(opening).rejects.toThrow('gave up');
  });

  it('send a bookmark that is older than what was sent before it', async () => {
    sim.faults.add({ watch: true }, { kind: 'watch', effect: 'old-bookmark' });
    await using watcher = await watch('allowWatchBookmarks=true');
    sim.addNode({ name: 'a' });
    sim.addNode({ name: 'b' });
    const [added, bookmark, next] = await watcher.take(3);
    expect([added?.type, bookmark?.type, next?.type]).toEqual(['ADDED', 'BOOKMARK', 'ADDED']);
    expect(version(bookmark?.object)).toBeLessThan(version(added?.object));
  });

  it('let the bytes of an event trickle by clock time', async () => {
    sim.faults.add({ watch: true }, { kind: 'watch', effect: 'drip', afterEvents: 1 });
    const { metadata } = sim.addNode({ name: 'a' });
    await using watcher = await watch(`resourceVersion=${Number(metadata.resourceVersion) - 1}`);
    await watcher.take(1);
    const { metadata: labelled } = sim.store.patch('Node', 'a', { metadata: { labels: { x: 'ü' } } });
    const dripping = watcher.take(1);
    await clock.advance(1_000);
    await names(''); // Time for bytes that should not have been sent to arrive.
    expect(watcher.received).toBe(1);
    await clock.advance(600_000);
    expect(await dripping).toMatchObject([
      {
        type: 'MODIFIED',
        object: { metadata: { labels: { x: 'ü' }, resourceVersion: labelled.resourceVersion } },
      },
    ]);
  });

  it('cut a trickling event off when the watch ends', async () => {
    sim.faults.add({ watch: true }, { kind: 'watch', effect: 'drip' });
    await using watcher = await watch();
    sim.addNode({ name: 'a' });
    await clock.advance(500);
    await settle();
    sim.faults.endWatches();
    expect(await watcher.lines()).toEqual([]);
  });

  describe('a stale watch cache', () => {
    it('answers as it was so many versions ago', async () => {
      sim.store.create({ kind: 'Node', metadata: { name: 'a' } });
      sim.store.create({ kind: 'Node', metadata: { name: 'b' } });
      sim.faults.add({}, { kind: 'stale', behind: 1 });
      expect([await names('resourceVersion=0'), await names('resourceVersion=0')]).toEqual([
        ['a'],
        ['a', 'b'],
      ]);
    });

    it('is never older than the request demands, nor than the last compaction', async () => {
      sim.store.create({ kind: 'Node', metadata: { name: 'a' } });
      const b = sim.store.create({ kind: 'Node', metadata: { name: 'b' } });
      sim.store.create({ kind: 'Node', metadata: { name: 'c' } });
      sim.faults.add({}, { kind: 'stale', behind: 99 }, 3);
      expect(await names('')).toEqual([]);
      expect(await names(`resourceVersion=${b.metadata.resourceVersion}`)).toEqual(['a', 'b']);
      sim.compact();
      expect(await names('')).toEqual(['a', 'b', 'c']);
    });
  });
});
