import { once } from 'node:events';
import type { ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createServer } from 'node:net';
import { setImmediate as turn } from 'node:timers/promises';
import { type Clock, silentLogger, systemClock } from '@reattach/core';
import { FakeClock } from '@reattach/core/testing';
import { describe, expect, it, vi } from 'vitest';
import type { KubeRequest } from '../../src/kube-api.ts';
import { UndiciKubeApi } from '../../src/undici-kube-api.ts';
import { startTestServer } from './test-server.ts';

const never = new AbortController().signal;
/** A busy machine must not fail a test. */
const WITHIN_A_MINUTE = { timeout: 60_000 };

function apiFor(server: string, clock: Clock = systemClock, token = 'secret-token') {
  const credentials = {
    read: () => Promise.resolve({ headers: { authorization: `Bearer ${token}` }, tls: {} }),
  };
  return new UndiciKubeApi({ server, credentials, clock, logger: silentLogger });
}

function get(path: string, more: Partial<KubeRequest> = {}): KubeRequest {
  return { method: 'GET', path, operation: 'get thing', signal: never, ...more };
}

function json(response: ServerResponse, status: number, body: unknown, headers = {}) {
  response.writeHead(status, { 'content-type': 'application/json', ...headers }).end(JSON.stringify(body));
}

/** Resolves to what `promise` rejects with. */
async function failure(promise: Promise<unknown>): Promise<unknown> {
  return await promise.then(
    () => expect.unreachable('expected a rejection'),
    (error: unknown) => error,
  );
}

async function collect(stream: AsyncIterable<unknown>): Promise<unknown[]> {
  const items: unknown[] = [];
  for await (const item of stream) items.push(item);
  return items;
}

describe('UndiciKubeApi.request', () => {
  it('sends JSON with credentials and returns the raw answer, unknown fields and all', async () => {
    await using server = await startTestServer((response) => json(response, 200, { spec: { unheardOf: 1 } }));
    await using api = apiFor(`${server.url}/prefix/`);
    const answer = await api.request(
      get('/api/v1/nodes/a', {
        method: 'PATCH',
        query: { fieldManager: 'reattach & co' },
        body: { a: 'ü' },
        contentType: 'application/merge-patch+json',
      }),
    );
    expect(answer).toEqual({ spec: { unheardOf: 1 } });
    expect(server.received).toMatchObject([
      {
        method: 'PATCH',
        url: '/prefix/api/v1/nodes/a?fieldManager=reattach%20%26%20co',
        body: '{"a":"ü"}',
        headers: {
          authorization: 'Bearer secret-token',
          'content-type': 'application/merge-patch+json',
          'user-agent': 'reattach',
        },
      },
    ]);
  });

  it('uses one connection for 50 requests in a row, failed ones included', async () => {
    await using server = await startTestServer((response, { url }) =>
      json(response, url?.endsWith('7') ? 404 : 200, {}),
    );
    await using api = apiFor(server.url);
    for (let index = 0; index < 50; index++) {
      await api.request(get(`/${index}`)).catch(() => undefined);
      await turn(); // undici rests a socket for one turn of the event loop before it is used again
    }
    expect(server.received).toHaveLength(50);
    expect(server.connections()).toBe(1);
  });

  it.each([
    [400, 'INVALID', 'not-applied'],
    [401, 'UNAUTHORIZED', 'not-applied'],
    [403, 'FORBIDDEN', 'not-applied'],
    [404, 'NOT_FOUND', 'not-applied'],
    [409, 'CONFLICT', 'not-applied'],
    [410, 'GONE', 'not-applied'],
    [422, 'INVALID', 'not-applied'],
    [429, 'TOO_MANY_REQUESTS', 'not-applied'],
    [500, 'SERVER_ERROR', 'unknown'],
    [503, 'SERVER_ERROR', 'unknown'],
    [301, 'SERVER_ERROR', 'unknown'],
  ])('DELETE answered with %i -> %s, %s', async (status, code, outcome) => {
    await using server = await startTestServer((response) =>
      json(response, status, { kind: 'Status', reason: 'Because', message: 'no such thing' }),
    );
    await using api = apiFor(server.url);
    const error = await failure(api.request(get('/x', { method: 'DELETE' })));
    expect(error).toMatchObject({ name: 'KubeApiError', code, outcome, status, reason: 'Because' });
    expect((error as Error).message).toBe(`${code}: DELETE /x: HTTP ${status}, no such thing`);
  });

  it('a failed read left nothing behind, even when the server broke', async () => {
    await using server = await startTestServer((response) => json(response, 500, {}));
    await using api = apiFor(server.url);
    expect(await failure(api.request(get('/x')))).toMatchObject({
      code: 'SERVER_ERROR',
      outcome: 'not-applied',
    });
  });

  it.each([
    ['7', 7_000],
    [new Date(1_767_225_600_000 + 30_000).toUTCString(), 30_000],
    ['soon', undefined],
  ])('Retry-After: %s -> %s ms', async (header, retryAfterMs) => {
    await using server = await startTestServer((response) =>
      json(response, 429, {}, { 'retry-after': header }),
    );
    await using api = apiFor(server.url, new FakeClock());
    const error = await failure(api.request(get('/x')));
    expect(error).toMatchObject({ code: 'TOO_MANY_REQUESTS', retryAfterMs });
  });

  it('an answer that is not JSON -> MALFORMED, and a write may have been applied', async () => {
    await using server = await startTestServer((response) =>
      response.end('<html>welcome to the proxy</html>'),
    );
    await using api = apiFor(server.url);
    expect(await failure(api.request(get('/x', { method: 'DELETE' })))).toMatchObject({
      code: 'MALFORMED',
      outcome: 'unknown',
    });
  });

  it('an error page that is not JSON keeps its status', async () => {
    await using server = await startTestServer((response) => response.writeHead(502).end('<html>'));
    await using api = apiFor(server.url);
    expect(await failure(api.request(get('/x')))).toMatchObject({ code: 'SERVER_ERROR', status: 502 });
  });

  it('connection refused -> UNAVAILABLE, not applied', async () => {
    const server = await startTestServer(() => undefined);
    await server[Symbol.asyncDispose]();
    await using api = apiFor(server.url);
    const error = await failure(api.request(get('/x', { method: 'DELETE' })));
    expect(error).toMatchObject({ code: 'UNAVAILABLE', outcome: 'not-applied' });
  });

  it('a name that does not resolve -> UNAVAILABLE, not applied', async () => {
    await using api = apiFor('http://nowhere.invalid');
    const error = await failure(api.request(get('/x', { method: 'DELETE' })));
    expect(error).toMatchObject({ code: 'UNAVAILABLE', outcome: 'not-applied' });
  });

  it('a connection that breaks after sending -> UNAVAILABLE, unknown for a write', async () => {
    await using server = await startTestServer((response) => response.destroy());
    await using api = apiFor(server.url);
    const broken = await failure(api.request(get('/x', { method: 'DELETE' })));
    expect(broken).toMatchObject({ code: 'UNAVAILABLE', outcome: 'unknown' });
    expect(await failure(api.request(get('/x')))).toMatchObject({
      code: 'UNAVAILABLE',
      outcome: 'not-applied',
    });
  });

  it('an answer cut off in the middle -> UNAVAILABLE, unknown for a write', async () => {
    await using server = await startTestServer((response) => {
      response.writeHead(200, { 'content-length': '100' });
      response.write('{"half":', () => response.destroy());
    });
    await using api = apiFor(server.url);
    const error = await failure(api.request(get('/x', { method: 'POST', body: {} })));
    expect(error).toMatchObject({ code: 'UNAVAILABLE', outcome: 'unknown' });
  });

  it('no answer in time -> TIMEOUT, the connection is closed and no timer is left', async () => {
    await using server = await startTestServer(() => undefined);
    const clock = new FakeClock();
    await using api = apiFor(server.url, clock);
    const pending = failure(api.request(get('/x', { method: 'DELETE', timeoutMs: 3_000 })));
    await vi.waitUntil(() => server.received.length === 1, WITHIN_A_MINUTE);
    await clock.advance(3_000);
    expect(await pending).toMatchObject({
      code: 'TIMEOUT',
      outcome: 'unknown',
      message: 'TIMEOUT: DELETE /x was not answered within 3000 ms',
    });
    expect(clock.pendingTimers).toBe(0);
    await vi.waitUntil(async () => (await server.open()) === 0, WITHIN_A_MINUTE);
  });

  it('an abort rejects with its reason, closes the connection and leaves no timer', async () => {
    await using server = await startTestServer(() => undefined);
    const clock = new FakeClock();
    await using api = apiFor(server.url, clock);
    const controller = new AbortController();
    const reason = new Error('no longer leader');
    const pending = failure(api.request(get('/x', { signal: controller.signal })));
    await vi.waitUntil(() => server.received.length === 1, WITHIN_A_MINUTE);
    controller.abort(reason);
    expect(await pending).toBe(reason);
    expect(clock.pendingTimers).toBe(0);
    await vi.waitUntil(async () => (await server.open()) === 0, WITHIN_A_MINUTE);
    expect(await failure(api.request(get('/x', { signal: controller.signal })))).toBe(reason);
    expect(server.received).toHaveLength(1);
  });

  it('leaves no listener on a signal that outlives many requests', async () => {
    await using server = await startTestServer((response) => json(response, 200, {}));
    await using api = apiFor(server.url);
    const { signal } = new AbortController();
    const added = vi.spyOn(signal, 'addEventListener');
    const removed = vi.spyOn(signal, 'removeEventListener');
    for (let index = 0; index < 5; index++) await api.request(get('/x', { signal }));
    expect(added).toHaveBeenCalledTimes(5);
    expect(removed).toHaveBeenCalledTimes(5);
  });

  it('fails the requests in flight when it is disposed, and sends no more', async () => {
    await using server = await startTestServer(() => undefined);
    const api = apiFor(server.url);
    const pending = failure(api.request(get('/x', { method: 'DELETE' })));
    await vi.waitUntil(() => server.received.length === 1, WITHIN_A_MINUTE);
    await api[Symbol.asyncDispose]();
    await api[Symbol.asyncDispose]();
    expect(await pending).toMatchObject({ code: 'UNAVAILABLE', outcome: 'unknown' });
    const after = await failure(api.request(get('/x', { method: 'DELETE' })));
    expect(after).toMatchObject({ code: 'UNAVAILABLE', outcome: 'not-applied' });
    expect(server.received).toHaveLength(1);
  });

  it('never shows a token in an error', async () => {
    await using server = await startTestServer((response) => response.destroy());
    await using api = apiFor(server.url, systemClock, 'very-secret');
    const error = await failure(api.request(get('/x')));
    const { inspect } = await import('node:util');
    expect(inspect(error, { depth: 10, showHidden: true })).not.toContain('very-secret');
  });

  it('credentials that cannot be read -> UNAUTHORIZED without what the plugin printed', async () => {
    await using server = await startTestServer((response) => json(response, 200, {}));
    const credentials = { read: () => Promise.reject(new Error('stderr: very-secret')) };
    await using api = new UndiciKubeApi({
      server: server.url,
      credentials,
      clock: systemClock,
      logger: silentLogger,
    });
    const error = await failure(api.request(get('/x', { method: 'DELETE' })));
    expect(error).toMatchObject({ code: 'UNAUTHORIZED', outcome: 'not-applied', status: undefined });
    expect(String(error)).not.toContain('very-secret');
    expect(server.received).toHaveLength(0);
  });
});

describe('UndiciKubeApi.watch', () => {
  it('asks for a watch and yields each line as it comes, across chunk boundaries', async () => {
    await using server = await startTestServer((response) => {
      const bytes = Buffer.from('{"n":1,"t":"ü"}\n\n{"n":2}\n{"n":3}\n');
      let index = 0;
      const writeNext = () => {
        if (index === bytes.length) response.end();
        else response.write(bytes.subarray(index, ++index), () => setImmediate(writeNext));
      };
      writeNext();
    });
    await using api = apiFor(server.url);
    const events = await collect(
      api.watch({ path: '/api/v1/nodes', query: { resourceVersion: '7' }, signal: never }),
    );
    expect(events).toEqual([{ n: 1, t: 'ü' }, { n: 2 }, { n: 3 }]);
    expect(server.received[0]?.url).toBe('/api/v1/nodes?resourceVersion=7&watch=true');
  });

  it('a broken line -> MALFORMED, after the good ones', async () => {
    await using server = await startTestServer((response) => response.write('{"n":1}\n{"n":\n'));
    await using api = apiFor(server.url);
    const seen: unknown[] = [];
    const error = await failure(
      (async () => {
        for await (const event of api.watch({ path: '/x', query: {}, signal: never })) seen.push(event);
      })(),
    );
    expect(seen).toEqual([{ n: 1 }]);
    expect(error).toMatchObject({ code: 'MALFORMED' });
    await vi.waitUntil(async () => (await server.open()) === 0, WITHIN_A_MINUTE);
  });

  it('a stream that breaks -> UNAVAILABLE', async () => {
    await using server = await startTestServer((response) => {
      response.write('{"n":1}\n', () => response.destroy());
    });
    await using api = apiFor(server.url);
    const error = await failure(collect(api.watch({ path: '/x', query: {}, signal: never })));
    expect(error).toMatchObject({ code: 'UNAVAILABLE', outcome: 'not-applied' });
  });

  it('an HTTP error -> its code', async () => {
    await using server = await startTestServer((response) => json(response, 410, { reason: 'Expired' }));
    await using api = apiFor(server.url);
    const error = await failure(collect(api.watch({ path: '/x', query: {}, signal: never })));
    expect(error).toMatchObject({ code: 'GONE', status: 410, reason: 'Expired' });
  });

  it('no headers in time -> TIMEOUT; once open it may be silent for hours', async () => {
    let hold: ServerResponse | undefined;
    await using server = await startTestServer((response, { url }) => {
      if (url?.startsWith('/open')) response.flushHeaders();
      hold = response;
    });
    const clock = new FakeClock();
    await using api = apiFor(server.url, clock);
    const dead = failure(collect(api.watch({ path: '/dead', query: {}, signal: never })));
    await vi.waitUntil(() => server.received.length === 1, WITHIN_A_MINUTE);
    await clock.advance(15_000);
    expect(await dead).toMatchObject({ code: 'TIMEOUT' });
    const open = collect(api.watch({ path: '/open', query: {}, signal: never }));
    await vi.waitUntil(() => server.received.length === 2 && clock.pendingTimers === 0, WITHIN_A_MINUTE);
    await clock.advance(3 * 3_600_000);
    hold?.end('{"n":1}\n');
    expect(await open).toEqual([{ n: 1 }]);
  });

  it('an abort rejects with its reason and closes the socket', async () => {
    await using server = await startTestServer((response) => response.write('{"n":1}\n'));
    await using api = apiFor(server.url);
    const controller = new AbortController();
    const reason = new Error('stop');
    const reading = failure(collect(api.watch({ path: '/x', query: {}, signal: controller.signal })));
    await vi.waitUntil(() => server.received.length === 1, WITHIN_A_MINUTE);
    controller.abort(reason);
    expect(await reading).toBe(reason);
    await expect.poll(() => server.open()).toBe(0);
  });

  it('a reader that stops early closes the socket', async () => {
    await using server = await startTestServer((response) => response.write('{"n":1}\n'));
    await using api = apiFor(server.url);
    for await (const _event of api.watch({ path: '/x', query: {}, signal: never })) break;
    await expect.poll(() => server.open()).toBe(0);
  });

  it('forty watches do not keep a request waiting', async () => {
    await using server = await startTestServer((response, { url }) => {
      if (url?.startsWith('/watch')) response.write('{}\n');
      else json(response, 200, { ok: true });
    });
    await using api = apiFor(server.url);
    const controller = new AbortController();
    const watches = Array.from({ length: 40 }, () =>
      failure(collect(api.watch({ path: '/watch', query: {}, signal: controller.signal }))),
    );
    await vi.waitUntil(() => server.received.length === 40, WITHIN_A_MINUTE);
    expect(await api.request(get('/x'))).toEqual({ ok: true });
    controller.abort();
    await Promise.all(watches);
  });
});

describe('UndiciKubeApi over TLS', () => {
  it('a server without TLS -> UNAVAILABLE', async () => {
    const server = createServer((socket) => socket.end('hello\n'));
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    await using api = apiFor(`https://127.0.0.1:${(server.address() as AddressInfo).port}`);
    expect(await failure(api.request(get('/x')))).toMatchObject({
      code: 'UNAVAILABLE',
      outcome: 'not-applied',
    });
    server.close();
  });
});
