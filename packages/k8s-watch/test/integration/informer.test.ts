import assert from 'node:assert/strict';
import { getEventListeners } from 'node:events';
import type { NodeFact } from '@reattach/core';
import { apiPaths, type KubeApi, toNodeFact } from '@reattach/k8s-api';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Informer, type InformerOptions } from '../../src/informer.ts';
import { KubeWorld, until } from '../kube-world.ts';
import { RecordingHandlers } from '../recording-handlers.ts';

const NODES = apiPaths.nodes;

describe('Informer', () => {
  let world: KubeWorld;
  let informer: Informer<NodeFact>;
  let seen: RecordingHandlers<NodeFact>;

  beforeEach(async () => {
    world = await KubeWorld.start();
    seen = new RecordingHandlers((node) => `${node.name}${node.ready ? '' : '!'}`);
  });
  afterEach(async () => {
    await informer.stop();
    await until(() => world.sim.openWatches.length === 0);
    await world[Symbol.asyncDispose]();
    assert.equal(world.clock.pendingTimers, 0);
  });

  function create(options: Partial<InformerOptions<NodeFact>> = {}): Informer<NodeFact> {
    const { api, clock, logger } = world;
    const pages = { streamingList: false };
    informer = new Informer({ api, path: NODES, project: toNodeFact, clock, logger, ...pages, ...options });
    informer.addHandlers(seen);
    return informer;
  }
  /** Starts and waits until the watch is open. */
  async function startWatching(options: Partial<InformerOptions<NodeFact>> = {}): Promise<void> {
    create(options).start();
    await informer.waitForSync(AbortSignal.timeout(60_000));
    await until(() => world.sim.openWatches.length === 1);
  }
  const names = () => namesOf(informer.values());
  const at = (ready: string) => namesOf(informer.byIndex('ready', ready));
  const lists = () => world.sim.requests.filter(({ watch }) => !watch);
  const watches = () => world.sim.requests.filter(({ watch, status }) => watch && status === 200);
  const setReady = (name: string, status: 'True' | 'Unknown') =>
    world.sim.store.patch('Node', name, { status: { conditions: [{ type: 'Ready', status }] } });
  /** Waits until a watch newer than the `count` before is open. */
  const rewatched = (count: number) =>
    until(() => watches().length > count && world.sim.openWatches.length === 1);

  describe('list', () => {
    it('adds every object, in pages, and watches from there', async () => {
      for (const name of ['a', 'b', 'c', 'd', 'e']) world.sim.addNode({ name });
      await startWatching({ pageSize: 2 });
      expect(names()).toEqual(['a', 'b', 'c', 'd', 'e']);
      expect(seen.events).toEqual(['add a', 'add b', 'add c', 'add d', 'add e']);
      expect(lists().map(({ query }) => [query['limit'], 'continue' in query])).toEqual([
        ['2', false],
        ['2', true],
        ['2', true],
      ]);
      const query = world.sim.openWatches[0]?.query ?? {};
      expect(query).toMatchObject({
        resourceVersion: String(world.sim.store.resourceVersion),
        allowWatchBookmarks: 'true',
      });
      expect(Number(query['timeoutSeconds'])).toBeGreaterThanOrEqual(300);
      expect(Number(query['timeoutSeconds'])).toBeLessThanOrEqual(600);
    });

    it('asks for the most recent state, never for any', async () => {
      await startWatching();
      for (const { query } of lists()) expect(query).not.toHaveProperty('resourceVersion');
    });

    it('passes selectors to list and watch', async () => {
      world.sim.addNode({ name: 'a', labels: { zone: 'x' } });
      world.sim.addNode({ name: 'b' });
      await startWatching({ labelSelector: 'zone=x' });
      expect(names()).toEqual(['a']);
      expect(world.sim.openWatches[0]?.query['labelSelector']).toBe('zone=x');
    });

    it('starts again when the pages expire half-way', async () => {
      for (const name of ['a', 'b', 'c']) world.sim.addNode({ name });
      world.sim.faults.add(({ query }) => 'continue' in query, {
        kind: 'status',
        status: 410,
        reason: 'Expired',
      });
      create({ pageSize: 2 }).start();
      await until(() => informer.state.kind === 'retrying');
      expect(informer.hasSynced).toBe(false);
      world.sim.store.delete('Node', 'a');
      await world.advanceUntil(() => informer.hasSynced);
      expect(names()).toEqual(['b', 'c']);
      expect(seen.events).toEqual(['add b', 'add c']);
    });

    it.each([
      ['500', { kind: 'status', status: 500 }],
      ['a reset', { kind: 'reset' }],
      ['an answer that is not JSON', { kind: 'malformed' }],
    ] as const)('is repeated after %s', async (_name, fault) => {
      world.sim.addNode({ name: 'a' });
      world.sim.faults.add({ path: NODES, watch: false }, fault);
      create().start();
      await until(() => informer.state.kind === 'retrying');
      await world.advanceUntil(() => informer.hasSynced);
      expect(names()).toEqual(['a']);
      expect(informer.state.kind).toBe('watching');
    });

    it('is given up and repeated when it hangs', async () => {
      world.sim.faults.add({ path: NODES, watch: false }, { kind: 'hang' });
      create().start();
      await until(() => lists().length === 1);
      await world.advance(29_999);
      expect(informer.state.kind).toBe('listing');
      await world.advance(1);
      await until(() => informer.state.kind === 'retrying');
      expect(informer.state.detail).toContain('TIMEOUT');
      await world.advanceUntil(() => informer.hasSynced);
    });

    it('is as fresh as its begin', async () => {
      world.sim.faults.add({ path: NODES, watch: false }, { kind: 'delay', delayMs: 3_000 });
      const startedAtMs = world.clock.now();
      create().start();
      await world.advanceUntil(() => informer.hasSynced);
      expect(informer.freshAsOfMs).toBe(startedAtMs);
      expect(world.clock.now()).toBe(startedAtMs + 3_000);
    });

    it('refuses a state older than one seen before, and believes it when it persists', async () => {
      world.sim.addNode({ name: 'a' });
      const before = world.sim.store.resourceVersion;
      world.sim.addNode({ name: 'b' });
      await startWatching();
      const stale = world.sim.faults.add(
        { path: NODES, watch: false },
        { kind: 'stale', resourceVersion: before },
        4,
      );
      world.sim.faults.expireWatches();
      for (const hits of [1, 2, 3]) {
        await world.advanceUntil(() => stale.hits === hits && informer.state.detail.includes('behind'));
        expect(names()).toEqual(['a', 'b']);
      }
      await world.advanceUntil(() => seen.events.includes('tombstone b'));
      expect(world.logger.messages('warn')).toContain('Accepted a state older than one seen before');
    });
  });

  it('asks a server for a streaming list once, and for pages from then on when it has none', async () => {
    world.sim.addNode({ name: 'a' });
    const streaming = world.sim.faults.add(
      ({ query }) => 'sendInitialEvents' in query,
      { kind: 'status', status: 422, reason: 'Invalid' },
      Number.POSITIVE_INFINITY,
    );
    await startWatching({ streamingList: true });
    world.sim.faults.expireWatches();
    await world.advanceUntil(() => lists().length === 2 && world.sim.openWatches.length === 1);
    expect(streaming.hits).toBe(1);
    expect(world.logger.lines.filter(({ level }) => level !== 'debug')).toEqual([]);
  });

  describe('watch', () => {
    it('hands on changes with the state before', async () => {
      await startWatching();
      world.sim.addNode({ name: 'a' });
      setReady('a', 'Unknown');
      world.sim.store.delete('Node', 'a');
      await until(() => seen.events.length === 3);
      expect(seen.events).toEqual(['add a', 'update a a!', 'delete a!']);
    });

    it.each([
      ['EOF', (w: KubeWorld) => w.sim.faults.endWatches()],
      ['a reset', (w: KubeWorld) => w.sim.faults.dropWatches()],
    ])('goes on where it broke after %s', async (_name, fault) => {
      world.sim.addNode({ name: 'a' });
      await startWatching();
      fault(world);
      await until(() => informer.state.kind === 'retrying');
      world.sim.addNode({ name: 'b' });
      await world.advanceUntil(() => names().length === 2);
      expect(lists()).toHaveLength(1);
    });

    it.each([
      ['an ERROR event 410', { kind: 'watch', effect: 'expired' }],
      ['HTTP 410', { kind: 'status', status: 410, reason: 'Expired' }],
    ] as const)('is followed by a list after %s', async (_name, fault) => {
      world.sim.addNode({ name: 'a' });
      world.sim.addNode({ name: 'b' });
      await startWatching();
      world.sim.faults.add({ watch: true, path: NODES }, fault);
      world.sim.faults.endWatches();
      await until(() => informer.state.kind === 'retrying');
      world.sim.store.delete('Node', 'a');
      setReady('b', 'Unknown');
      world.sim.addNode({ name: 'c' });
      await world.advanceUntil(() => seen.events.length === 5);
      expect(seen.events.slice(2).toSorted()).toEqual(['add c', 'tombstone a', 'update b b!']);
      expect(lists()).toHaveLength(2);
    });

    it('shows what went wrong until the list that follows is complete', async () => {
      await startWatching();
      world.sim.faults.add({ path: NODES, watch: false }, { kind: 'delay', delayMs: 5_000 });
      world.sim.faults.expireWatches();
      await world.advanceUntil(() => lists().length === 2);
      expect(informer.state).toMatchObject({ kind: 'retrying', detail: expect.stringContaining('410') });
      await world.advanceUntil(() => informer.state.kind === 'watching');
    });

    it('waits as long as a 429 says', async () => {
      await startWatching();
      const throttle = world.sim.faults.add(
        { watch: true },
        { kind: 'status', status: 429, reason: 'TooManyRequests', retryAfterSeconds: 30 },
      );
      world.sim.faults.endWatches();
      await until(() => informer.state.kind === 'retrying');
      await world.advanceUntil(() => throttle.hits === 1 && informer.state.detail.includes('429'));
      const count = world.sim.requests.length;
      await world.advance(29_900, 1_000);
      expect(world.sim.requests).toHaveLength(count);
      await world.advance(200);
      await until(() => world.sim.openWatches.length === 1);
    });

    it.each([500, 503])('goes on after %d', async (status) => {
      await startWatching();
      world.sim.faults.add({ watch: true }, { kind: 'status', status });
      world.sim.faults.endWatches();
      await world.advanceUntil(() => informer.state.detail.includes(String(status)));
      world.sim.addNode({ name: 'b' });
      await world.advanceUntil(() => names().length === 1);
      expect(lists()).toHaveLength(1);
    });

    it('goes on after a line that is not JSON, and misses nothing', async () => {
      await startWatching();
      world.sim.faults.add({ watch: true }, { kind: 'watch', effect: 'malformed', afterEvents: 1 });
      world.sim.faults.endWatches();
      await until(() => informer.state.kind === 'retrying');
      await world.advanceUntil(() => world.sim.openWatches.length === 1);
      world.sim.addNode({ name: 'a' });
      world.sim.addNode({ name: 'b' });
      await until(() => informer.state.detail.includes('MALFORMED'));
      await world.advanceUntil(() => names().length === 2);
      expect(seen.events).toEqual(['add a', 'add b']);
      expect(lists()).toHaveLength(1);
    });

    it('is followed by a list when the same line is broken twice', async () => {
      world.sim.addNode({ name: 'a' });
      await startWatching();
      world.sim.faults.add({ watch: true }, { kind: 'watch', effect: 'malformed' }, 2);
      world.sim.faults.endWatches();
      world.sim.store.delete('Node', 'a');
      await world.advanceUntil(() => lists().length === 2 && names().length === 0);
      expect(seen.events).toEqual(['add a', 'tombstone a']);
    });

    it('hands on an event that is sent twice once', async () => {
      await startWatching();
      world.sim.faults.add({ watch: true }, { kind: 'watch', effect: 'duplicate', afterEvents: 1 });
      world.sim.faults.endWatches();
      await until(() => informer.state.kind === 'retrying');
      await world.advanceUntil(() => world.sim.openWatches.length === 1);
      world.sim.addNode({ name: 'a' });
      world.sim.addNode({ name: 'b' });
      await until(() => names().length === 2);
      expect(seen.events).toEqual(['add a', 'add b']);
    });

    it('is given up for dead when nothing arrives for longer than bookmarks take', async () => {
      world = await replaceWorld({ bookmarkIntervalMs: 60_000 });
      await startWatching();
      await world.advance(200_000, 10_000);
      expect(watches()).toHaveLength(1); // bookmarks keep a quiet watch alive
      const { freshAsOfMs } = informer;
      expect(world.clock.now() - freshAsOfMs).toBeLessThan(60_000);
      world.sim.faults.halfOpenWatches();
      world.sim.addNode({ name: 'a' });
      await world.advance(75_000, 5_000);
      await rewatched(1);
      await until(() => names().length === 1);
      expect(lists()).toHaveLength(1);
    });

    it('resumes from a bookmark when everything before it is compacted', async () => {
      await startWatching();
      world.sim.addVolume({ name: 'pv', handle: 'h', driver: 'd' }); // moves the version on, not the watch
      world.sim.compact();
      world.sim.sendBookmarks();
      const { freshAsOfMs } = informer;
      await world.advance(1);
      world.sim.sendBookmarks();
      await until(() => informer.freshAsOfMs > freshAsOfMs);
      world.sim.faults.endWatches();
      await world.advanceUntil(() => watches().length === 2);
      expect(lists()).toHaveLength(1);
    });
  });

  async function replaceWorld(options: Parameters<typeof KubeWorld.start>[0]): Promise<KubeWorld> {
    await world[Symbol.asyncDispose]();
    return KubeWorld.start(options);
  }

  describe('permissions and versions', () => {
    it.each([
      [401, 'Unauthorized', 'cannot list nodes'],
      [403, 'Forbidden', 'grant verb "list" on resource "nodes" in API group ""'],
    ])('says what is wrong on %d and goes on when it is right', async (status, reason, detail) => {
      using fault = world.sim.faults.add(
        { path: NODES, watch: false },
        { kind: 'status', status, reason, message: 'no' },
        Number.POSITIVE_INFINITY,
      );
      create().start();
      await until(() => informer.state.kind === 'retrying');
      expect(informer.state.detail).toContain(detail);
      await world.advanceUntil(() => fault.hits >= 4);
      expect(world.logger.messages('error')).toEqual(['Lost contact with Kubernetes resource']);
      world.sim.faults.clear();
      await world.advanceUntil(() => informer.hasSynced);
      expect(informer.state).toMatchObject({ kind: 'watching', detail: 'watching nodes' });
      expect(world.logger.messages('info')).toEqual(['Regained contact with Kubernetes resource']);
    });

    it('names the verb watch when that is what is missing', async () => {
      await startWatching();
      world.sim.faults.add({ watch: true }, { kind: 'status', status: 403, reason: 'Forbidden' });
      world.sim.faults.endWatches();
      await world.advanceUntil(() => informer.state.detail.includes('may not watch nodes'));
      expect(informer.state.detail).toContain('grant verb "watch" on resource "nodes"');
    });

    it('takes an optional API that is missing for an empty one, and finds it when it comes', async () => {
      const missing = world.sim.faults.add(
        { path: NODES },
        { kind: 'status', status: 404, reason: 'NotFound' },
        Number.POSITIVE_INFINITY,
      );
      world.sim.addNode({ name: 'a' });
      create({ optional: true }).start();
      await informer.waitForSync(AbortSignal.timeout(60_000));
      expect(informer.state).toMatchObject({ kind: 'absent', detail: 'the API server has no nodes' });
      expect(names()).toEqual([]);
      const { hits } = missing;
      await world.advance(50_000, 10_000);
      expect(missing.hits).toBe(hits);
      missing[Symbol.dispose]();
      await world.advanceUntil(() => names().length === 1);
    });

    it('goes on looking for an API that must be there', async () => {
      world.sim.faults.add(
        { path: NODES, watch: false },
        { kind: 'status', status: 404, reason: 'NotFound' },
      );
      create().start();
      await until(() => informer.state.kind === 'retrying');
      expect(informer.hasSynced).toBe(false);
      await world.advanceUntil(() => informer.hasSynced);
    });
  });

  describe('identity', () => {
    it('shows a new uid under a known name as delete and add', async () => {
      world.sim.addNode({ name: 'a', ready: 'Unknown' });
      await startWatching();
      world.sim.faults.expireWatches();
      world.sim.store.delete('Node', 'a');
      world.sim.store.delete('Lease', 'a', 'kube-node-lease');
      world.sim.addNode({ name: 'a' });
      await world.advanceUntil(() => seen.events.length === 3);
      expect(seen.events).toEqual(['add a!', 'tombstone a!', 'add a']);
    });

    it('says nothing about objects a relist finds unchanged', async () => {
      world.sim.addNode({ name: 'a' });
      await startWatching();
      world.sim.faults.expireWatches();
      await world.advanceUntil(() => lists().length === 2 && world.sim.openWatches.length === 1);
      expect(seen.events).toEqual(['add a']);
    });
  });

  describe('back-off', () => {
    it('grows while watches end soon, whatever they delivered, and is forgotten after a stable one', async () => {
      await startWatching({ random: () => 1 });
      const gaps: number[] = [];
      for (let round = 0; round < 7; round++) {
        const count = watches().length;
        world.sim.addNode({ name: `n${round}` });
        await until(() => names().length === round + 1);
        world.sim.faults.endWatches();
        const endedAtMs = world.clock.now();
        await until(() => world.sim.openWatches.length === 0 && world.clock.pendingTimers === 1);
        while (watches().length === count) await world.advance(250);
        await rewatched(count);
        gaps.push(world.clock.now() - endedAtMs);
      }
      expect(gaps).toEqual([500, 1_000, 2_000, 4_000, 8_000, 10_000, 10_000]);
      await world.advance(61_000, 1_000); // a bookmark shows the watch alive
      world.sim.faults.endWatches();
      await rewatched(8);
    });
  });

  describe('handlers', () => {
    it('are called although one throws or rejects', async () => {
      create();
      const other = new RecordingHandlers<NodeFact>((node) => node.name);
      const failing = {
        onAdd: () => {
          throw new Error('sync');
        },
        onDelete: () => Promise.reject(new Error('async')),
      };
      informer.addHandlers(failing);
      informer.addHandlers(other);
      world.sim.addNode({ name: 'a' });
      informer.start();
      await until(() => other.events.length === 1 && world.sim.openWatches.length === 1);
      world.sim.store.delete('Node', 'a');
      await until(() => other.events.length === 2);
      expect(seen.events).toEqual(['add a', 'delete a']);
      expect(world.logger.lines).toMatchObject([
        { level: 'error', message: 'Event handler failed', fields: { handler: 'onAdd', resource: 'nodes' } },
        { level: 'error', message: 'Event handler failed', fields: { handler: 'onDelete' } },
      ]);
    });

    it('added late hear of what is there, and of nothing once removed', async () => {
      world.sim.addNode({ name: 'a' });
      await startWatching();
      const late = new RecordingHandlers<NodeFact>((node) => node.name);
      const registration = informer.addHandlers(late);
      expect(late.events).toEqual(['add a']);
      registration[Symbol.dispose]();
      world.sim.store.delete('Node', 'a');
      await until(() => seen.events.length === 2);
      expect(late.events).toEqual(['add a']);
    });

    it('find the change in the cache', async () => {
      create();
      const sizes: number[] = [];
      informer.addHandlers({
        onAdd: () => void sizes.push(informer.size),
        onDelete: () => void sizes.push(informer.size),
      });
      world.sim.addNode({ name: 'a' });
      informer.start();
      await until(() => world.sim.openWatches.length === 1);
      world.sim.store.delete('Node', 'a');
      await until(() => sizes.length === 2);
      expect(sizes).toEqual([1, 0]);
    });
  });

  describe('indexes', () => {
    it('follow adds, updates and deletes', async () => {
      await startWatching({ indexes: { ready: (node) => [String(node.ready)] } });
      for (const name of ['a', 'b', 'c']) world.sim.addNode({ name });
      await until(() => at('true').length === 3);
      setReady('b', 'Unknown');
      world.sim.store.delete('Node', 'a');
      await until(() => at('true').length === 1);
      expect([at('true'), at('false'), at('other')]).toEqual([['c'], ['b'], []]);
      expect(() => informer.byIndex('nope', 'x')).toThrow(TypeError);
    });
  });

  describe('start and stop', () => {
    it('are idempotent, and it can be started again', async () => {
      world.sim.addNode({ name: 'a' });
      await startWatching();
      informer.start();
      expect(world.sim.openWatches).toHaveLength(1);
      await Promise.all([informer.stop(), informer.stop()]);
      await informer.stop();
      expect(informer.state.kind).toBe('stopped');
      await until(() => world.sim.openWatches.length === 0);
      world.sim.store.delete('Node', 'a');
      world.sim.addNode({ name: 'b' });
      informer.start();
      await until(() => world.sim.openWatches.length === 1);
      expect(seen.events).toEqual(['add a', 'add b', 'tombstone a']);
    });

    it('stop at once during a hanging list, a back-off and an absent API', async () => {
      using _hang = world.sim.faults.add({ path: NODES, watch: false }, { kind: 'hang' });
      create().start();
      await until(() => lists().length === 1);
      await informer.stop();

      world.sim.faults.clear();
      using _error = world.sim.faults.add({ path: NODES, watch: false }, { kind: 'status', status: 500 });
      create().start();
      await until(() => informer.state.kind === 'retrying');
      await informer.stop();

      using _missing = world.sim.faults.add({ path: NODES }, { kind: 'status', status: 404 }, 2);
      create({ optional: true }).start();
      await until(() => informer.state.kind === 'absent');
      await informer.stop();
      expect(world.clock.pendingTimers).toBe(0);
    });

    it('lets waitForSync end with its signal and leaves no listener on it', async () => {
      create();
      const controller = new AbortController();
      const waiting = informer.waitForSync(controller.signal);
      controller.abort(new Error('enough'));
      await expect(waiting).rejects.toThrow('enough');
      const { signal } = new AbortController();
      informer.start();
      await informer.waitForSync(signal);
      expect(getEventListeners(controller.signal, 'abort')).toEqual([]);
      expect(getEventListeners(signal, 'abort')).toEqual([]);
    });

    it('never reaches past the API it was given', async () => {
      const broken: KubeApi = {
        server: 'https://kube.test',
        request: () => Promise.reject(new RangeError('bug')),
        watch: () => {
          throw new RangeError('bug');
        },
        async [Symbol.asyncDispose]() {},
      };
      create({ api: broken }).start();
      await until(() => informer.state.kind === 'retrying');
      expect(informer.state.detail).toBe('cannot list nodes: bug');
    });
  });
});

function namesOf(nodes: Iterable<NodeFact>): string[] {
  return [...nodes].map(({ name }) => name).toSorted();
}
