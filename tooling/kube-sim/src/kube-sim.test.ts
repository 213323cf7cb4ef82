import assert from 'node:assert/strict';
import { FakeClock, settle } from '@reattach/core/testing';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { KubeSim } from './kube-sim.ts';
import { WatchReader } from './watch-reader.test-support.ts';

interface Answer {
  readonly [field: string]: unknown;
  readonly metadata: Readonly<Record<string, string>>;
}

const MERGE = 'application/merge-patch+json';
const node = (name: string) => ({ apiVersion: 'v1', kind: 'Node', metadata: { name } });
const removeFirstInUse = (value: string) => [
  { op: 'test', path: '/status/volumesInUse/0', value },
  { op: 'remove', path: '/status/volumesInUse/0' },
];
const bound = () => AbortSignal.timeout(60_000);

describe('KubeSim', () => {
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

  async function call(method: string, path: string, body?: unknown, contentType = 'application/json') {
    const response = await fetch(sim.url + path, {
      method,
      signal: bound(),
      ...(body !== undefined && {
        body: typeof body === 'string' ? body : JSON.stringify(body),
        headers: { 'content-type': contentType },
      }),
    });
    return { status: response.status, body: (await response.json()) as Answer, response };
  }

  const watch = (path: string, query = '') =>
    WatchReader.open(`${sim.url}${path}?watch=true&${query}`, bound());

  const podNames = async (path: string) => {
    const items = (await call('GET', path)).body['items'] as {
      kind?: string;
      metadata: { name: string };
    }[];
    assert.ok(items.every((item) => item.kind === undefined));
    return items.map((item) => item.metadata.name);
  };

  const sendPatch = (value: string) =>
    call('PATCH', '/api/v1/nodes/a/status', removeFirstInUse(value), 'application/json-patch+json');

  const wholeWatch = async () => {
    await using watcher = await watch('/api/v1/nodes');
    sim.addNode({ name: `n${sim.store.resourceVersion}` });
    sim.faults.endWatches();
    return (await watcher.lines()).map((line) => line.replace(/^{"type":"(\w+)","object".*}$/, '$1'));
  };

  describe('create, get, list', () => {
    it('fills in uid, creationTimestamp and resourceVersion', async () => {
      const { status, body } = await call('POST', '/api/v1/nodes', node('node-a'));
      expect(status).toBe(201);
      expect(body).toMatchObject({
        apiVersion: 'v1',
        kind: 'Node',
        metadata: { name: 'node-a', uid: expect.any(String), creationTimestamp: '2026-01-01T00:00:00Z' },
      });
      expect((await call('GET', '/api/v1/nodes/node-a')).body).toEqual(body);
    });

    it('answers 409 AlreadyExists for a second create', async () => {
      await call('POST', '/api/v1/nodes', node('node-a'));
      const { status, body } = await call('POST', '/api/v1/nodes', node('node-a'));
      expect(status).toBe(409);
      expect(body).toMatchObject({
        kind: 'Status',
        reason: 'AlreadyExists',
        message: 'nodes "node-a" already exists',
      });
    });

    it('makes distinct names from generateName', async () => {
      const draft = { apiVersion: 'v1', kind: 'Pod', metadata: { generateName: 'web-' } };
      const first = await call('POST', '/api/v1/namespaces/shop/pods', draft);
      const second = await call('POST', '/api/v1/namespaces/shop/pods', draft);
      expect(first.body.metadata).toMatchObject({
        name: expect.stringMatching(/^web-.{5}$/),
        namespace: 'shop',
      });
      expect(second.body.metadata['name']).not.toBe(first.body.metadata['name']);
    });

    it('drops the status of a new VolumeAttachment and keeps that of a new Node', async () => {
      const status = { attached: true };
      const attachment = { kind: 'VolumeAttachment', metadata: { name: 'va' }, spec: {}, status };
      const created = await call('POST', '/apis/storage.k8s.io/v1/volumeattachments', attachment);
      expect(created.body).not.toHaveProperty('status');
      expect((await call('POST', '/api/v1/nodes', { ...node('n'), status })).body).toHaveProperty(
        'status',
        status,
      );
    });

    it.each([
      ['an unknown resource', 'GET', '/api/v1/widgets', 404, 'NotFound'],
      ['a missing object', 'GET', '/api/v1/nodes/none', 404, 'NotFound'],
      ['a namespaced object without namespace', 'GET', '/api/v1/pods/x', 404, 'NotFound'],
      [
        'a subresource the resource has not',
        'GET',
        '/apis/storage.k8s.io/v1/csinodes/x/status',
        404,
        'NotFound',
      ],
      ['a broken escape', 'GET', '/api/v1/nodes/%zz', 400, 'BadRequest'],
      ['PUT on a collection', 'PUT', '/api/v1/nodes', 405, 'MethodNotAllowed'],
      ['DELETE on a collection', 'DELETE', '/api/v1/nodes', 405, 'MethodNotAllowed'],
      [
        'a field that cannot be selected',
        'GET',
        '/apis/storage.k8s.io/v1/volumeattachments?fieldSelector=spec.attacher%3Dx',
        400,
        'BadRequest',
      ],
      ['a broken label selector', 'GET', '/api/v1/nodes?labelSelector=a%3D%3D%3Db', 400, 'BadRequest'],
      ['a broken resourceVersion', 'GET', '/api/v1/nodes?resourceVersion=x', 422, 'Invalid'],
      ['a resourceVersion of the future', 'GET', '/api/v1/nodes?resourceVersion=99999', 504, 'Timeout'],
      ['a broken continue token', 'GET', '/api/v1/nodes?continue=x', 400, 'BadRequest'],
      ['a streaming list', 'GET', '/api/v1/nodes?watch=true&sendInitialEvents=true', 422, 'Invalid'],
    ])('%s -> %s %s %i %s', async (_situation, method, path, code, reason) => {
      expect((await call(method, path)).body).toMatchObject({
        kind: 'Status',
        status: 'Failure',
        code,
        reason,
      });
    });

    it.each([
      ['JSON that is cut off', '{"kind":"Node",', 400, /not JSON: .*position/i],
      ['a list', '[]', 400, /must be a JSON object, got \[\]/],
      ['another kind', { kind: 'Pod', metadata: { name: 'x' } }, 400, /expected v1 Node, got v1 Pod/],
      ['a bad name', node('Node_A'), 422, /metadata\.name: Invalid value: "Node_A"/],
      ['no name', node(''), 422, /metadata\.name/],
    ])('refuses a body that is %s', async (_situation, body, status, message) => {
      const answer = await call('POST', '/api/v1/nodes', body);
      expect(answer.status).toBe(status);
      expect(answer.body['message']).toMatch(message);
    });

    it('lists by label, field and namespace without kind on the items', async () => {
      sim.addPod({ name: 'a', nodeName: 'n1', labels: { app: 'db', tier: 'x' } });
      sim.addPod({ name: 'b', nodeName: 'n2', labels: { app: 'db' } });
      sim.addPod({ name: 'c', namespace: 'shop', nodeName: 'n1', labels: { app: 'web' } });
      expect(await podNames('/api/v1/pods')).toEqual(['a', 'b', 'c']);
      expect(await podNames('/api/v1/namespaces/shop/pods')).toEqual(['c']);
      expect(await podNames('/api/v1/pods?fieldSelector=spec.nodeName%3Dn1')).toEqual(['a', 'c']);
      expect(
        await podNames('/api/v1/pods?fieldSelector=spec.nodeName!%3Dn1,metadata.namespace=default'),
      ).toEqual(['b']);
      expect(await podNames('/api/v1/pods?labelSelector=app%3Ddb,!tier')).toEqual(['b']);
      expect(await podNames('/api/v1/pods?labelSelector=app%20in%20(web,%20x)')).toEqual(['c']);
      expect(await podNames('/api/v1/pods?labelSelector=app%20notin%20(web)')).toEqual(['a', 'b']);
      expect(await podNames('/api/v1/pods?labelSelector=app!%3Ddb')).toEqual(['c']);
      expect(await podNames('/api/v1/pods?labelSelector=tier')).toEqual(['a']);
    });

    it('pages through one consistent snapshot', async () => {
      for (const name of ['a', 'b', 'c', 'd', 'e']) sim.addNode({ name });
      const first = (await call('GET', '/api/v1/nodes?limit=2')).body as never as {
        metadata: Record<string, string>;
      };
      sim.store.delete('Node', 'c');
      sim.addNode({ name: 'bb' });
      const { continue: token = '', resourceVersion } = first.metadata;
      const second = await call('GET', `/api/v1/nodes?limit=2&continue=${token}`);
      expect(second.body).toMatchObject({
        metadata: { resourceVersion, remainingItemCount: 1 },
        items: [{ metadata: { name: 'c' } }, { metadata: { name: 'd' } }],
      });
    });

    it('answers 410 Expired for a continue token from before a compaction', async () => {
      for (const name of ['a', 'b', 'c']) sim.addNode({ name });
      const first = await call('GET', '/api/v1/nodes?limit=2');
      sim.compact();
      const { status, body } = await call(
        'GET',
        `/api/v1/nodes?limit=2&continue=${first.body.metadata['continue']}`,
      );
      expect([status, body['reason']]).toEqual([410, 'Expired']);
    });

    it('answers the health and version paths', async () => {
      for (const path of ['/livez', '/readyz']) expect(await (await fetch(sim.url + path)).text()).toBe('ok');
      expect((await call('GET', '/version')).body).toMatchObject({ major: '1' });
    });

    it('allows every access review', async () => {
      const { body } = await call('POST', '/apis/authorization.k8s.io/v1/selfsubjectaccessreviews', {
        spec: {},
      });
      expect(body).toMatchObject({ status: { allowed: true } });
    });
  });

  describe('update and patch', () => {
    it('answers 409 Conflict for an old resourceVersion', async () => {
      const created = (await call('POST', '/api/v1/nodes', node('a'))).body;
      sim.store.patch('Node', 'a', { metadata: { labels: { x: '1' } } });
      const { status, body } = await call('PUT', '/api/v1/nodes/a', created);
      expect([status, body['reason']]).toEqual([409, 'Conflict']);
    });

    it('answers 409 Conflict for another uid', async () => {
      sim.addNode({ name: 'a' });
      const { status } = await call('PATCH', '/api/v1/nodes/a', { metadata: { uid: 'other' } }, MERGE);
      expect(status).toBe(409);
    });

    it('refuses a Lease PUT without resourceVersion', async () => {
      sim.addNode({ name: 'a' });
      const path = '/apis/coordination.k8s.io/v1/namespaces/kube-node-lease/leases/a';
      const { status, body } = await call('PUT', path, { metadata: { name: 'a' }, spec: {} });
      expect(status).toBe(422);
      expect(body['message']).toMatch(/must be specified for an update/);
    });

    it('makes no new resourceVersion and no event for a write that changes nothing', () => {
      const before = sim.addNode({ name: 'a' });
      const changes: string[] = [];
      using _subscription = sim.store.subscribe((change) => changes.push(change.type));
      expect(sim.store.patch('Node', 'a', { metadata: { labels: before.metadata.labels } })).toBe(before);
      expect(changes).toEqual([]);
    });

    it('keeps a main write from the status and a status write from the spec', async () => {
      sim.addNode({ name: 'a', volumesInUse: ['v1', 'v2'] });
      const change = { spec: { unschedulable: true }, status: { volumesInUse: ['v2'] } };
      const main = await call('PATCH', '/api/v1/nodes/a', change, MERGE);
      expect(main.body).toMatchObject({
        spec: { unschedulable: true },
        status: { volumesInUse: ['v1', 'v2'] },
      });
      const status = await call(
        'PATCH',
        '/api/v1/nodes/a/status',
        { ...change, spec: { unschedulable: null } },
        MERGE,
      );
      expect(status.body).toMatchObject({ spec: { unschedulable: true }, status: { volumesInUse: ['v2'] } });
    });

    it('applies a JSON patch, and refuses one whose test fails with 422', async () => {
      sim.addNode({ name: 'a', volumesInUse: ['v1', 'v2'] });
      expect((await sendPatch('v9')).status).toBe(422);
      expect((await sendPatch('v1')).body).toMatchObject({ status: { volumesInUse: ['v2'] } });
    });

    it('answers 415 for a patch type it does not know', async () => {
      sim.addNode({ name: 'a' });
      expect((await call('PATCH', '/api/v1/nodes/a', {}, 'application/apply-patch+yaml')).status).toBe(415);
    });
  });

  describe('delete', () => {
    it('refuses another uid with 409 and leaves the object', async () => {
      sim.addNode({ name: 'a' });
      const { status, body } = await call('DELETE', '/api/v1/nodes/a', { preconditions: { uid: 'other' } });
      expect(status).toBe(409);
      expect(body['message']).toMatch(/Precondition failed: UID in precondition: other/);
      expect(sim.store.get('Node', 'a')).toBeDefined();
    });

    it('refuses another resourceVersion with 409', async () => {
      sim.addNode({ name: 'a' });
      expect(
        (await call('DELETE', '/api/v1/nodes/a', { preconditions: { resourceVersion: '1' } })).status,
      ).toBe(409);
    });

    it('waits for finalizers, takes no new one, and removes the object with the last', async () => {
      sim.addVolume({ name: 'pv', handle: 'h', driver: 'd.test' });
      const { name } = sim.addAttachment({ persistentVolume: 'pv', nodeName: 'n' }).metadata;
      const path = `/apis/storage.k8s.io/v1/volumeattachments/${name}`;
      const deleted = await call('DELETE', path);
      expect(deleted.body).toMatchObject({ metadata: { deletionTimestamp: '2026-01-01T00:00:00Z' } });
      expect(
        (await call('PATCH', path, { metadata: { finalizers: ['external-attacher/d-test', 'x/y'] } }, MERGE))
          .status,
      ).toBe(422);
      expect((await call('PATCH', path, { metadata: { finalizers: [] } }, MERGE)).status).toBe(200);
      expect((await call('GET', path)).status).toBe(404);
    });

    it('keeps a bound Pod Terminating until it is deleted without grace', async () => {
      sim.addPod({ name: 'db-0', nodeName: 'n' });
      const path = '/api/v1/namespaces/default/pods/db-0';
      const { body } = await call('DELETE', path);
      expect(body.metadata).toMatchObject({
        deletionTimestamp: '2026-01-01T00:00:30Z',
        deletionGracePeriodSeconds: 30,
      });
      await clock.advance(3_600_000);
      expect((await call('GET', path)).status).toBe(200);
      expect((await call('DELETE', path, { gracePeriodSeconds: 0 })).status).toBe(200);
      expect((await call('GET', path)).status).toBe(404);
    });

    it('removes an unbound Pod at once', async () => {
      sim.addPod({ name: 'db-0' });
      await call('DELETE', '/api/v1/namespaces/default/pods/db-0');
      expect(sim.store.list('Pod')).toEqual([]);
    });
  });

  describe('events', () => {
    const event = {
      metadata: { name: 'db.1', namespace: 'shop' },
      regarding: { kind: 'PersistentVolumeClaim', namespace: 'shop', name: 'data' },
      note: 'Held because the node still writes',
      reason: 'ReleaseHeld',
      action: 'Release',
      type: 'Warning',
      eventTime: '2026-01-01T00:00:00.000000Z',
      reportingController: 'reattach',
      reportingInstance: 'reattach-1',
    };
    const path = '/apis/events.k8s.io/v1/namespaces/shop/events';

    it('are one set of objects in two groups', async () => {
      expect((await call('POST', path, event)).body).toMatchObject({
        apiVersion: 'events.k8s.io/v1',
        ...event,
      });
      expect((await call('GET', '/api/v1/namespaces/shop/events/db.1')).body).toMatchObject({
        apiVersion: 'v1',
        message: event.note,
        involvedObject: event.regarding,
      });
      const patched = await call('PATCH', `${path}/db.1`, { note: 'Again' }, MERGE);
      expect(patched.body).toMatchObject({ note: 'Again', reason: 'ReleaseHeld' });
      expect(sim.store.get('Event', 'db.1', 'shop')?.message).toBe('Again');
    });

    it.each([
      ['without action', { action: undefined }, /action: Required/],
      ['of another type', { type: 'Bad' }, /type: Invalid/],
      ['with a long note', { note: 'x'.repeat(1025) }, /1024/],
      ['outside the namespace it regards', { regarding: { kind: 'Node', name: 'a' } }, /does not match/],
    ])('%s are refused', async (_situation, change, message) => {
      const { status, body } = await call('POST', path, { ...event, ...change });
      expect(status).toBe(422);
      expect(body['message']).toMatch(message);
    });
  });

  describe('watch', () => {
    it('replays what came after a resourceVersion and follows', async () => {
      const { metadata } = sim.addNode({ name: 'a' });
      sim.addNode({ name: 'b' });
      await using watcher = await watch('/api/v1/nodes', `resourceVersion=${metadata.resourceVersion}`);
      sim.store.patch('Node', 'a', { metadata: { labels: { x: '1' } } });
      const { resourceVersion: before } = sim.store.get('Node', 'a')?.metadata ?? {};
      sim.store.delete('Node', 'a');
      const events = await watcher.take(3);
      expect(events.map(({ type, object }) => [type, object.metadata.name])).toEqual([
        ['ADDED', 'b'],
        ['MODIFIED', 'a'],
        ['DELETED', 'a'],
      ]);
      const { resourceVersion, labels } = events[2]?.object.metadata ?? {};
      expect(labels).toMatchObject({ x: '1' });
      expect(Number(resourceVersion)).toBeGreaterThan(Number(before));
    });

    it('starts with everything there is when no resourceVersion is given', async () => {
      sim.addNode({ name: 'a' });
      await using watcher = await watch('/api/v1/nodes');
      expect(await watcher.take(1)).toMatchObject([
        { type: 'ADDED', object: { kind: 'Node', apiVersion: 'v1' } },
      ]);
    });

    it('sends every change to every watcher', async () => {
      await using first = await watch('/api/v1/nodes');
      await using second = await watch('/api/v1/nodes');
      sim.addNode({ name: 'a' });
      expect(await first.take(1)).toEqual(await second.take(1));
    });

    it('shows an object that stops to match a selector as DELETED', async () => {
      await using watcher = await watch('/api/v1/nodes', 'labelSelector=role%3Ddb');
      sim.addNode({ name: 'other' });
      sim.addNode({ name: 'a', labels: { role: 'db' } });
      sim.store.patch('Node', 'a', { metadata: { labels: { role: 'web' } } });
      expect((await watcher.take(2)).map((event) => event.type)).toEqual(['ADDED', 'DELETED']);
    });

    it('sends bookmarks only to those who asked, and ends after timeoutSeconds', async () => {
      await using asked = await watch('/api/v1/nodes', 'allowWatchBookmarks=true&timeoutSeconds=90');
      await using silent = await watch('/api/v1/nodes', 'timeoutSeconds=90');
      sim.addNode({ name: 'a' });
      await clock.advance(60_000);
      await clock.advance(30_000);
      expect((await asked.rest()).map(({ type }) => type)).toEqual(['ADDED', 'BOOKMARK', 'BOOKMARK']);
      expect((await silent.rest()).map(({ type }) => type)).toEqual(['ADDED']);
    });

    it('answers a compacted resourceVersion with an ERROR event 410', async () => {
      const { metadata } = sim.addNode({ name: 'a' });
      sim.compact();
      await using watcher = await watch('/api/v1/nodes', `resourceVersion=${metadata.resourceVersion}`);
      expect(await watcher.rest()).toMatchObject([
        { type: 'ERROR', object: { kind: 'Status', code: 410, reason: 'Expired' } },
      ]);
    });

    it('is forgotten when the client goes away', async () => {
      {
        await using watcher = await watch('/api/v1/nodes');
        expect(sim.openWatches).toHaveLength(1);
        await watcher.cancel();
      }
      while (sim.openWatches.length > 0) await new Promise(setImmediate);
    });
  });

  describe('faults', () => {
    it('answer with a status, as often as asked for, with Retry-After', async () => {
      const rule = sim.faults.add(
        { method: 'GET', path: /nodes/ },
        { kind: 'status', status: 429, reason: 'TooManyRequests', retryAfterSeconds: 7 },
        2,
      );
      const first = await call('GET', '/api/v1/nodes');
      expect(first.response.headers.get('retry-after')).toBe('7');
      expect(first.body).toMatchObject({ kind: 'Status', code: 429, details: { retryAfterSeconds: 7 } });
      expect((await call('GET', '/api/v1/pods')).status).toBe(200);
      expect((await call('GET', '/api/v1/nodes')).status).toBe(429);
      expect((await call('GET', '/api/v1/nodes')).status).toBe(200);
      expect(rule.hits).toBe(2);
    });

    it('lose the answer of a write that was applied', async () => {
      sim.addNode({ name: 'a' });
      sim.faults.add({ method: 'DELETE' }, { kind: 'reset', applied: true });
      await expect(call('DELETE', '/api/v1/nodes/a')).rejects.toThrow(TypeError);
      expect(sim.store.get('Node', 'a')).toBeUndefined();
    });

    it('delay an answer by clock time', async () => {
      sim.faults.add({}, { kind: 'delay', delayMs: 5_000 });
      const answer = call('GET', '/api/v1/nodes');
      await sim.waitFor({ path: '/api/v1/nodes' }, bound());
      await settle();
      expect(sim.requests[0]?.status).toBeUndefined();
      await clock.advance(5_000);
      expect((await answer).status).toBe(200);
    });

    it('hang until the client gives up', async () => {
      sim.faults.add({}, { kind: 'hang' });
      const controller = new AbortController();
      const hanging = fetch(`${sim.url}/api/v1/nodes`, { signal: controller.signal });
      await sim.waitFor(() => true, bound());
      controller.abort(new Error('gave up'));
      await expect(hanging).rejects.toThrow('gave up');
    });

    it('break the JSON of an answer', async () => {
      sim.faults.add({}, { kind: 'malformed' });
      await expect(call('GET', '/api/v1/nodes')).rejects.toThrow(SyntaxError);
    });

    it('answer a list from an older state', async () => {
      const { metadata } = sim.addNode({ name: 'a' });
      sim.store.delete('Node', 'a');
      sim.faults.add({ path: '/api/v1/nodes' }, { kind: 'stale', resourceVersion: metadata.resourceVersion });
      expect((await call('GET', '/api/v1/nodes')).body).toMatchObject({
        metadata: { resourceVersion: metadata.resourceVersion },
        items: [{}],
      });
      expect((await call('GET', '/api/v1/nodes')).body).toMatchObject({ items: [] });
    });

    it('end, expire or garble a watch after some events', async () => {
      for (const effect of ['end', 'expired', 'malformed', 'duplicate'] as const) {
        sim.faults.add({ watch: true }, { kind: 'watch', effect, afterEvents: 1 });
      }
      expect(await wholeWatch()).toEqual(['ADDED']);
      expect(await wholeWatch()).toEqual(['ADDED', 'ERROR']);
      expect(await wholeWatch()).toEqual([
        'ADDED',
        expect.stringMatching(/^{"type":"MODIFIED","obj.*[^}]$/),
        'ADDED',
        'ADDED',
      ]);
      expect(await wholeWatch()).toEqual(['ADDED', 'ADDED', 'ADDED', 'ADDED', 'ADDED']);
    });

    it('reset open watches', async () => {
      await using watcher = await watch('/api/v1/nodes');
      expect(sim.faults.dropWatches({ path: '/api/v1/pods' })).toBe(0);
      expect(sim.faults.dropWatches()).toBe(1);
      await expect(watcher.rest()).rejects.toThrow(TypeError);
    });

    it('silence a half-open watch without closing it', async () => {
      await using watcher = await watch('/api/v1/nodes');
      await using healthy = await watch('/api/v1/nodes');
      expect(sim.faults.halfOpenWatches((request) => request.seq === 1)).toBe(1);
      sim.addNode({ name: 'a' });
      await healthy.take(1);
      expect(watcher.received).toBe(0);
      expect(sim.openWatches).toHaveLength(2);
    });

    it('refuse connections until the server is back', async () => {
      await sim.faults.refuseConnections();
      await expect(call('GET', '/api/v1/nodes')).rejects.toThrow(TypeError);
      await sim.faults.acceptConnections();
      expect((await call('GET', '/api/v1/nodes')).status).toBe(200);
    });
  });

  describe('requests', () => {
    it('log method, path, query, body, user agent and status', async () => {
      await call('POST', '/api/v1/nodes?dry=1', node('a'));
      expect(sim.requests).toMatchObject([
        {
          seq: 1,
          method: 'POST',
          path: '/api/v1/nodes',
          query: { dry: '1' },
          body: node('a'),
          userAgent: 'node',
          status: 201,
        },
      ]);
    });

    it('are bounded', async () => {
      await using small = await KubeSim.start({ requestLimit: 2 });
      for (const path of ['/livez', '/readyz', '/version']) await (await fetch(small.url + path)).text();
      expect(small.requests.map(({ path }) => path)).toEqual(['/readyz', '/version']);
    });

    it('can be waited for, until the signal aborts', async () => {
      const waiting = sim.waitFor({ method: 'GET', path: /nodes/ }, bound());
      await call('GET', '/api/v1/nodes');
      expect(await waiting).toMatchObject({ path: '/api/v1/nodes' });
      const reason = new Error('enough');
      await expect(sim.waitFor({ path: '/never' }, AbortSignal.abort(reason))).rejects.toBe(reason);
    });
  });

  it('writes a kubeconfig that names its URL', () => {
    expect(sim.kubeconfig()).toContain(`server: ${sim.url}\n`);
  });
});
