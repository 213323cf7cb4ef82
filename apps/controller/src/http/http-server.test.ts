import { once } from 'node:events';
import { get, type IncomingMessage } from 'node:http';
import { connect } from 'node:net';
import { RecordingLogger } from '@reattach/core/testing';
import { describe, expect, it } from 'vitest';
import { healthReport } from './health.ts';
import { type HttpRoute, jsonAnswer } from './http-route.ts';
import { HttpServer, type HttpServerOptions } from './http-server.ts';

const up = healthReport([{ name: 'loop', ok: true, why: 'last pass 3 ms ago' }]);
const down = healthReport([
  { name: 'cluster-cache', ok: true, why: 'fresh' },
  { name: 'storage-backend', ok: false, why: 'not connected' },
]);

function start(overrides: Partial<HttpServerOptions> = {}): Promise<HttpServer> {
  const logger = new RecordingLogger();
  return HttpServer.start({
    host: '127.0.0.1',
    port: 0,
    live: () => up,
    ready: () => down,
    metricsText: async () => 'metric 1\n',
    logger,
    ...overrides,
  });
}

/** `fetch` sets Host and Origin itself. */
async function statusOf(url: string, headers: Readonly<Record<string, string>>): Promise<number | undefined> {
  const asking = get(url, { headers });
  const [response] = (await once(asking, 'response')) as [IncomingMessage];
  response.resume();
  return response.statusCode;
}

describe('HttpServer', () => {
  it('answers /livez with 200 while every check holds', async () => {
    await using server = await start();
    const response = await fetch(`${server.url}/livez`);
    expect(response.status).toBe(200);
    expect(await response.json()).toEqual({ ok: true, checks: up.checks });
  });

  it('answers /readyz with 503 and says which check fails and why', async () => {
    await using server = await start();
    const response = await fetch(`${server.url}/readyz?verbose`);
    expect(response.status).toBe(503);
    expect(await response.json()).toMatchObject({
      ok: false,
      checks: [{ ok: true }, { name: 'storage-backend', ok: false, why: 'not connected' }],
    });
  });

  it('serves metrics as Prometheus text', async () => {
    await using server = await start();
    const response = await fetch(`${server.url}/metrics`);
    expect(response.headers.get('content-type')).toBe('text/plain; version=0.0.4; charset=utf-8');
    expect(await response.text()).toBe('metric 1\n');
  });

  it('answers 500 and logs when metrics cannot be collected', async () => {
    const logger = new RecordingLogger();
    await using server = await start({ logger, metricsText: () => Promise.reject(new Error('broken')) });
    expect((await fetch(`${server.url}/metrics`)).status).toBe(500);
    expect(logger.messages('warn')).toEqual(['Could not answer request']);
  });

  it('answers 404 to other paths', async () => {
    await using server = await start();
    expect((await fetch(`${server.url}/`)).status).toBe(404);
  });

  it('answers HEAD without a body and refuses other methods', async () => {
    await using server = await start();
    const head = await fetch(`${server.url}/livez`, { method: 'HEAD' });
    expect([head.status, await head.text()]).toEqual([200, '']);
    const post = await fetch(`${server.url}/livez`, { method: 'POST', body: 'x' });
    expect([post.status, post.headers.get('allow')]).toEqual([405, 'GET, HEAD']);
  });

  describe('with routes', () => {
    const routes: readonly HttpRoute[] = [
      { method: 'GET', path: '/thing', answer: (query) => jsonAnswer(200, { limit: query.get('limit') }) },
      { method: 'POST', path: '/thing', answer: () => jsonAnswer(202, { done: true }) },
      {
        method: 'GET',
        path: '/pieces',
        answer: () => ({
          status: 200,
          contentType: 'text/plain',
          headers: { 'x-own': 'yes' },
          body: ['a', 'b'],
        }),
      },
      {
        method: 'GET',
        path: '/broken',
        answer: () => {
          throw new Error('broken');
        },
      },
    ];

    it('answers by method, and refuses others by naming those it knows', async () => {
      await using server = await start({ routes });
      const url = `${server.url}/thing`;
      expect(await (await fetch(`${url}?limit=3`)).json()).toEqual({ limit: '3' });
      expect((await fetch(url, { method: 'POST' })).status).toBe(202);
      const refused = await fetch(url, { method: 'DELETE' });
      expect([refused.status, refused.headers.get('allow')]).toEqual([405, 'GET, HEAD, POST']);
      expect((await fetch(`${server.url}/other`, { method: 'POST' })).status).toBe(404);
    });

    it('writes pieces one by one, with headers of its own', async () => {
      await using server = await start({ routes });
      const response = await fetch(`${server.url}/pieces`);
      expect([await response.text(), response.headers.get('x-own')]).toEqual(['ab', 'yes']);
    });

    it('answers 500 and logs when a route fails', async () => {
      const logger = new RecordingLogger();
      await using server = await start({ routes, logger });
      expect((await fetch(`${server.url}/broken`)).status).toBe(500);
      expect(logger.messages('warn')).toEqual(['Could not answer request']);
    });

    it.each([
      ['a foreign name that leads here', { host: 'rebound.example.org' }, 403],
      ['a foreign page', { origin: 'https://evil.example.org' }, 403],
      ['a page without an origin', { origin: 'null' }, 403],
      ['the loopback name, through a tunnel', { host: 'localhost:9999' }, 200],
      ['its own page', { host: '127.0.0.1:1', origin: 'http://127.0.0.1:1' }, 200],
    ])('answers to %s: %s -> %i', async (_what, headers, status) => {
      await using server = await start({ routes });
      expect(await statusOf(`${server.url}/thing`, headers)).toBe(status);
    });

    it.each([
      ['local', 403],
      ['all', 200],
      ['off', 403],
    ] as const)(
      'are for the stateAccess %s: by another name than loopback -> %i',
      async (stateAccess, status) => {
        await using server = await start({ routes, stateAccess, host: '0.0.0.0' });
        const { port } = new URL(server.url);
        expect(await statusOf(`http://127.0.0.1:${port}/thing`, { host: 'reattach.svc' })).toBe(status);
        expect(await statusOf(`http://127.0.0.1:${port}/livez`, { host: 'reattach.svc' })).toBe(200);
      },
    );
  });

  it('closes connections that are still open when disposed, and can be disposed twice', async () => {
    const server = await start();
    const { hostname, port } = new URL(server.url);
    const idle = connect(Number(port), hostname);
    idle.on('error', () => undefined);
    await once(idle, 'connect');
    const closed = once(idle, 'close');
    await server[Symbol.asyncDispose]();
    await closed;
    await server[Symbol.asyncDispose]();
    expect(idle.destroyed).toBe(true);
  });

  it('rejects when the port is taken', async () => {
    await using server = await start();
    const port = Number(new URL(server.url).port);
    await expect(start({ port })).rejects.toThrow('EADDRINUSE');
  });

  it('names an IPv6 host in brackets', async () => {
    await using server = await start({ host: '::1' });
    expect(server.url).toMatch(/^http:\/\/\[::1\]:\d+$/);
  });
});
