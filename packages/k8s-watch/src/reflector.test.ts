import assert from 'node:assert/strict';
import { getEventListeners } from 'node:events';
import { FakeClock, RecordingLogger, settle } from '@reattach/core/testing';
import { KubeApiError } from '@reattach/k8s-api';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { MemoryMeter } from '../test/memory-meter.ts';
import { RecordingHandlers } from '../test/recording-handlers.ts';
import { ScriptedApi, type ScriptedWatch } from '../test/scripted-api.ts';
import { Informer, type InformerOptions } from './informer.ts';
import { readIdentity } from './raw-object.ts';

const object = (name: string, resourceVersion: string, uid = `uid-${name}`) => ({
  metadata: { name, uid, resourceVersion },
});
const added = (name: string, version: string) => ({ type: 'ADDED', object: object(name, version) });
const modified = (name: string, version: string) => ({ type: 'MODIFIED', object: object(name, version) });
const deleted = (name: string, version: string) => ({ type: 'DELETED', object: object(name, version) });
const bookmark = (resourceVersion: string) => ({
  type: 'BOOKMARK',
  object: { metadata: { resourceVersion } },
});
const initialEnd = (resourceVersion: string) => ({
  type: 'BOOKMARK',
  object: { metadata: { resourceVersion, annotations: { 'k8s.io/initial-events-end': 'true' } } },
});
const list = (resourceVersion: string, ...items: object[]) => ({ metadata: { resourceVersion }, items });

/** Sends lines and lets them be read. */
async function send(watch: ScriptedWatch, ...lines: unknown[]): Promise<void> {
  for (const line of lines) watch.send(line);
  await settle();
}

interface Thing {
  readonly key: string;
  readonly uid: string;
  readonly resourceVersion: string | undefined;
}

describe('Reflector', () => {
  let clock: FakeClock;
  let logger: RecordingLogger;
  let api: ScriptedApi;
  let informer: Informer<Thing>;
  let seen: RecordingHandlers<Thing>;

  beforeEach(() => {
    clock = new FakeClock();
    logger = new RecordingLogger();
    seen = new RecordingHandlers(({ key, resourceVersion }) => `${key}@${resourceVersion}`);
  });
  afterEach(async () => {
    await informer.stop();
    for (const { signal } of api.watches) assert.deepEqual(getEventListeners(signal, 'abort'), []);
    assert.equal(clock.pendingTimers, 0);
  });

  async function start(
    options: Partial<InformerOptions<Thing>> = {},
    ...lists: object[]
  ): Promise<ScriptedWatch> {
    api = new ScriptedApi(...lists);
    informer = new Informer<Thing>({
      api,
      path: '/api/v1/nodes',
      project: readIdentity,
      clock,
      logger,
      ...options,
    });
    informer.addHandlers(seen);
    informer.start();
    return latest(1);
  }
  /** The watch number `count`, once it is open. */
  async function latest(count: number): Promise<ScriptedWatch> {
    await settle();
    expect(api.watches).toHaveLength(count);
    return api.watches[count - 1] as ScriptedWatch;
  }
  describe('with streaming lists', () => {
    it('syncs at the bookmark that ends the initial events, and goes on with the same watch', async () => {
      const watch = await start();
      expect(watch.query).toMatchObject({
        sendInitialEvents: 'true',
        resourceVersionMatch: 'NotOlderThan',
        allowWatchBookmarks: 'true',
      });
      expect(watch.query).not.toHaveProperty('resourceVersion');
      await send(watch, added('b', '7'), added('a', '5'));
      expect([informer.hasSynced, informer.freshAsOfMs, informer.size]).toEqual([false, 0, 0]);
      await send(watch, initialEnd('9'));
      expect([informer.hasSynced, informer.state.kind]).toEqual([true, 'watching']);
      await send(watch, modified('a', '10'));
      expect(seen.events).toEqual(['add b@7', 'add a@5', 'update a@5 a@10']);
      expect([api.watches.length, api.requests.length]).toEqual([1, 0]);
    });

    it('is as fresh as the begin of the list', async () => {
      const watch = await start();
      const startedAtMs = clock.now();
      await clock.advance(3_000);
      await send(watch, initialEnd('9'));
      expect([informer.freshAsOfMs, informer.hasSynced]).toEqual([startedAtMs, true]);
    });

    it('resumes at the last version, and lists the missing as tombstones after 410', async () => {
      const first = await start();
      await send(first, added('a', '5'), added('b', '6'), initialEnd('9'));
      first.end();
      await clock.advance(501);
      const second = await latest(2);
      expect(second.query).toMatchObject({ resourceVersion: '9', allowWatchBookmarks: 'true' });
      expect(second.query).not.toHaveProperty('sendInitialEvents');
      second.send({ type: 'ERROR', object: { code: 410, reason: 'Expired' } });
      await clock.advance(1_001);
      const third = await latest(3);
      expect(third.query).toHaveProperty('sendInitialEvents');
      await send(third, added('b', '6'), initialEnd('20'));
      expect(seen.events).toEqual(['add a@5', 'add b@6', 'tombstone a@5']);
    });

    it('begins again when the stream breaks before its end', async () => {
      const first = await start();
      await send(first, added('a', '5'));
      first.fail(new KubeApiError('UNAVAILABLE', 'not-applied', 'reset'));
      await clock.advance(501);
      const second = await latest(2);
      expect(second.query).toHaveProperty('sendInitialEvents');
      expect(informer.hasSynced).toBe(false);
      await send(second, added('b', '6'), initialEnd('9'));
      expect(seen.events).toEqual(['add b@6']);
    });

    it.each([
      [
        'refuses them',
        (watch: ScriptedWatch) => watch.fail(new KubeApiError('INVALID', 'not-applied', '422')),
      ],
      ['takes the request for an ordinary watch', (watch: ScriptedWatch) => watch.send(bookmark('9'))],
    ])('asks for pages from then on when the server %s', async (_name, answer) => {
      const first = await start({}, list('11', object('a', '5')), list('31'));
      answer(first);
      const second = await latest(2);
      expect([informer.hasSynced, second.query['resourceVersion']]).toEqual([true, '11']);
      second.send({ type: 'ERROR', object: { code: 410 } });
      await clock.advance(501);
      expect((await latest(3)).query['resourceVersion']).toBe('31');
      expect(api.requests).toHaveLength(2);
    });

    it('shows nothing of a state older than one seen before', async () => {
      const first = await start();
      await send(first, added('a', '5'), initialEnd('9'), deleted('a', '10'));
      first.send({ type: 'ERROR', object: { code: 410 } });
      await clock.advance(501);
      await send(await latest(2), added('a', '5'), initialEnd('9'));
      expect(informer.state.detail).toContain('behind 10 seen before');
      expect([seen.events, informer.size]).toEqual([['add a@5', 'delete a@10'], 0]);
    });

    it('asks for pages when nothing comes', async () => {
      await start({}, list('11'));
      await clock.advance(75_001);
      expect((await latest(2)).query['resourceVersion']).toBe('11');
    });
  });

  describe('with pages', () => {
    const pages = { streamingList: false };

    it('drops an event that is not newer than the last', async () => {
      const watch = await start(pages, list('10', object('a', '5')));
      await send(watch, modified('a', '12'), modified('a', '11'), deleted('a', '12'), deleted('a', '13'));
      expect(seen.events).toEqual(['add a@5', 'update a@5 a@12', 'delete a@13']);
    });

    it('takes versions that are not numbers as they come', async () => {
      const watch = await start(pages, list('x'));
      await send(watch, added('a', 'y'), added('a', 'y'), modified('a', 'w'), deleted('b', 'v'));
      expect(seen.events).toEqual(['add a@y', 'update a@y a@w']);
    });

    it('lists again when a bookmark is older than what was seen: the server is behind, or was restored', async () => {
      const watch = await start(pages, list('10'), list('12', object('a', '11')));
      await send(watch, added('a', '11'), bookmark('9'));
      expect(informer.state.detail).toBe(
        'cannot watch nodes: The server is at resourceVersion 9, behind 11 seen before',
      );
      await clock.advance(501);
      expect((await latest(2)).query['resourceVersion']).toBe('12');
      expect(seen.events).toEqual(['add a@11']);
    });

    it.each([
      ['404', new KubeApiError('NOT_FOUND', 'not-applied', '404')],
      ['400', new KubeApiError('INVALID', 'not-applied', '400')],
      ['410', new KubeApiError('GONE', 'not-applied', '410')],
      ['an unexpected error', new RangeError('bug')],
    ])('lists again when a watch ends with %s', async (_name, error) => {
      const watch = await start(pages, list('10'), list('20'));
      watch.fail(error);
      await clock.advance(501);
      expect((await latest(2)).query['resourceVersion']).toBe('20');
    });

    it('goes on where it was after one 5xx, and lists again after two in a row', async () => {
      const broken = new KubeApiError('SERVER_ERROR', 'not-applied', 'HTTP 500');
      const first = await start(pages, list('10'), list('20'));
      first.fail(broken);
      await clock.advance(501);
      const second = await latest(2);
      expect(second.query['resourceVersion']).toBe('10');
      second.fail(broken);
      await clock.advance(1_001);
      expect((await latest(3)).query['resourceVersion']).toBe('20');
    });

    it('refuses an older list three times each time', async () => {
      const older = list('5');
      const watch = await start(pages, list('10'), older, older, list('11'), older, older, older, list('12'));
      watch.send({ type: 'ERROR', object: { code: 410 } });
      await clock.advance(10_000);
      const second = await latest(2);
      expect(second.query['resourceVersion']).toBe('11');
      second.send({ type: 'ERROR', object: { code: 410 } });
      await clock.advance(40_000);
      expect((await latest(3)).query['resourceVersion']).toBe('12');
      expect(logger.messages('warn')).not.toContain('Accepted a state older than one seen before');
    });

    it('does not report the planned end of a watch as a failure', async () => {
      const watch = await start(pages, list('10'));
      await clock.advance(60_000);
      watch.end();
      await latest(2);
      expect([informer.state.kind, logger.messages('warn')]).toEqual(['watching', []]);
    });

    it('tells instruments what happens', async () => {
      using meter = new MemoryMeter();
      const watch = await start(pages, list('10'), list('20'));
      const nodes = { 'reattach.k8s.resource': 'nodes' };
      informer.addHandlers({
        onAdd: () => {
          throw new Error('bug in handler');
        },
      });
      await send(watch, added('a', '11'), modified('a', '12'), bookmark('13'));
      watch.send({ type: 'ERROR', object: { code: 410 } });
      await clock.advance(501);
      await latest(2);
      await clock.advance(2_000);
      expect(meter.total('reattach.watch.events', nodes)).toBe(2);
      expect(meter.total('reattach.watch.relists', nodes)).toBe(1);
      expect(meter.total('reattach.watch.handler.errors', nodes)).toBe(1);
      const gone = { ...nodes, 'reattach.watch.reconnect.reason': 'gone' };
      expect(meter.total('reattach.watch.reconnects', gone)).toBe(1);
      const ageS = (clock.now() - informer.freshAsOfMs) / 1_000;
      expect(meter.read('reattach.watch.cache.age')).toEqual([[ageS, nodes]]);
      expect(meter.read('reattach.watch.cache.objects')).toEqual([[0, nodes]]);
      await informer.stop();
      expect(meter.read('reattach.watch.cache.objects')).toEqual([]);
    });

    it('counts an event and a bookmark as fresh, and nothing else', async () => {
      const watch = await start(pages, list('10'));
      const startedAtMs = clock.now();
      await clock.advance(1_000);
      expect(informer.freshAsOfMs).toBe(startedAtMs);
      await send(watch, bookmark('11'));
      expect(informer.freshAsOfMs).toBe(startedAtMs + 1_000);
      await clock.advance(1_000);
      await send(watch, added('a', '12'));
      expect(informer.freshAsOfMs).toBe(startedAtMs + 2_000);
    });

    it('resumes after silence, and lists when the resumed watch is silent too', async () => {
      const first = await start(pages, list('10'), list('20'));
      await clock.advance(10_000);
      await send(first, bookmark('11'));
      await clock.advance(75_000);
      expect((await latest(2)).query['resourceVersion']).toBe('11');
      await clock.advance(19_999);
      expect(api.requests).toHaveLength(1);
      await clock.advance(1);
      expect((await latest(3)).query['resourceVersion']).toBe('20');
      expect(clock.now() - informer.freshAsOfMs).toBe(0);
    });

    it('lists after silence that followed a list: the server has no bookmarks to send', async () => {
      await start(pages, list('10'), list('10'), list('10'));
      for (const count of [2, 3]) {
        await clock.advance(75_000);
        expect((await latest(count)).query['resourceVersion']).toBe('10');
        expect(api.requests).toHaveLength(count);
        expect(informer.freshAsOfMs).toBe(clock.now());
      }
      expect(logger.messages('warn')).toHaveLength(1);
    });

    it('expects a sign of a resumed watch by the time the last proof is old', async () => {
      const first = await start(pages, list('10'), list('20'));
      await send(first, bookmark('11'));
      await clock.advance(50_000);
      first.fail(new KubeApiError('UNAVAILABLE', 'not-applied', 'reset'));
      await latest(2); // at once: the watch was stable
      await clock.advance(24_999);
      expect(api.requests).toHaveLength(1);
      await clock.advance(1);
      await latest(3);
      expect(api.requests).toHaveLength(2);
    });

    it('gives a resumed watch that shows a sign the whole time again', async () => {
      const first = await start(pages, list('10'));
      await send(first, bookmark('11'));
      await clock.advance(60_000);
      first.end();
      const second = await latest(2);
      await send(second, bookmark('12'));
      await clock.advance(74_999);
      await latest(2);
      await clock.advance(1);
      expect((await latest(3)).query['resourceVersion']).toBe('12');
    });

    it.each([
      ['no event', { hello: 1 }],
      ['an unknown type', { type: 'HELLO', object: object('a', '11') }],
      [
        'an object without uid',
        { type: 'ADDED', object: { metadata: { name: 'a', resourceVersion: '11' } } },
      ],
      ['an ERROR without Status', { type: 'ERROR', object: {} }],
      ['null', null],
    ])('goes on where it was after %s', async (_name, line) => {
      const watch = await start(pages, list('10'));
      await send(watch, line);
      expect(informer.state.detail).toContain('MALFORMED');
      await clock.advance(501);
      expect((await latest(2)).query['resourceVersion']).toBe('10');
    });

    it.each([
      ['no list', {}],
      ['no version', { items: [] }],
      ['no items', { metadata: { resourceVersion: '1' } }],
      ['items that are not objects', { metadata: { resourceVersion: '1' }, items: [3] }],
      ['an item without uid', list('1', { metadata: { name: 'a' } })],
    ])('does not take %s for an empty cluster', async (_name, answer) => {
      api = new ScriptedApi(answer, { metadata: { resourceVersion: '2' }, items: null });
      informer = new Informer<Thing>({
        api,
        path: '/api/v1/nodes',
        project: readIdentity,
        clock,
        logger,
        ...pages,
      });
      informer.start();
      await settle();
      expect([informer.hasSynced, informer.state.kind]).toEqual([false, 'retrying']);
      await clock.advance(501);
      expect([informer.hasSynced, informer.size]).toEqual([true, 0]);
    });

    it('takes nothing after stop', async () => {
      const watch = await start(pages, list('10'));
      watch.send(added('a', '11'));
      watch.send(added('b', '12'));
      await informer.stop();
      expect(seen.events).toEqual([]);
    });

    it('lists again when a projection throws, and says so', async () => {
      let broken = true;
      const project = (raw: unknown) => {
        if (broken) throw new RangeError('bug in projection');
        return readIdentity(raw);
      };
      api = new ScriptedApi(list('10', object('a', '5')), list('11', object('a', '5')));
      informer = new Informer<Thing>({ api, path: '/api/v1/nodes', project, clock, logger, ...pages });
      informer.start();
      await settle();
      expect(informer.state.detail).toBe('cannot list nodes: bug in projection');
      broken = false;
      await clock.advance(501);
      expect([informer.hasSynced, informer.size]).toEqual([true, 1]);
    });
  });
});
