import { once } from 'node:events';
import { get, type IncomingMessage } from 'node:http';
import { connect, type Socket } from 'node:net';
import { silentLogger } from '@reattach/core';
import { describe, expect, it } from 'vitest';
import { healthReport } from './health.ts';
import { HttpServer, type HttpServerOptions } from './http-server.ts';

const up = healthReport([{ name: 'loop', ok: true, why: 'last pass 3 ms ago' }]);

function start(overrides: Partial<HttpServerOptions> = {}): Promise<HttpServer> {
  return HttpServer.start({
    host: '127.0.0.1',
    port: 0,
    live: () => up,
    ready: () => up,
    metricsText: async () => 'metric 1\n',
    logger: silentLogger,
    ...overrides,
  });
}

async function open(server: HttpServer): Promise<Socket> {
  const { hostname, port } = new URL(server.url);
  const socket = connect(Number(port), hostname);
  socket.on('error', () => undefined);
  await once(socket, 'connect');
  return socket;
}

/** Resolves when the connection has ended, in whichever way. */
function end(socket: Socket): Promise<void> {
  return new Promise((resolve) => socket.once('close', () => resolve()));
}

/** @param from address of the client */
async function statusOf(url: string, headers: Readonly<Record<string, string>>, from = '127.0.0.1') {
  const asking = get(url, { headers, localAddress: from });
  const [response] = (await once(asking, 'response')) as [IncomingMessage];
  response.resume();
  return response.statusCode;
}

describe('a hostile client', () => {
  it('that pipelines requests and reads nothing costs one answer', async () => {
    let collected = 0;
    await using server = await start({
      metricsText: async () => {
        collected += 1;
        return 'metric 1\n'.repeat(10_000);
      },
    });
    const socket = await open(server);
    const closed = end(socket);
    socket.pause();
    socket.write('GET /metrics HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n'.repeat(16_000));
    socket.resume();
    await closed;
    expect(collected).toBe(1);
  });

  it('that does not finish its request, or sends none, is cut off', async () => {
    await using server = await start();
    const sockets = await Promise.all([open(server), open(server)]);
    sockets[0]?.write('GET /livez HTTP/1.1\r\nHost: 127.0.0.1\r\nX-Slow: ');
    const openedMs = performance.now();
    await Promise.all(
      sockets.map(async (socket) => {
        socket.resume();
        await end(socket);
      }),
    );
    expect(performance.now() - openedMs).toBeLessThan(20_000); // Node's own check comes after 30 s
  });

  it('cannot open all connections from one address', async () => {
    await using server = await start();
    const sockets = await Promise.all(Array.from({ length: 16 }, () => open(server)));
    const refused = await open(server);
    refused.resume();
    await end(refused);
    expect(await statusOf(`${server.url}/livez`, {}, '127.0.0.2')).toBe(200);
    for (const socket of sockets) socket.destroy();
  });

  it('cannot have metrics collected more than once at a time', async () => {
    let collected = 0;
    const { promise, resolve } = Promise.withResolvers<string>();
    const begun = Promise.withResolvers<void>();
    await using server = await start({
      metricsText: () => {
        collected += 1;
        begun.resolve();
        return promise;
      },
    });
    const asked = [fetch(`${server.url}/metrics`), fetch(`${server.url}/metrics`)];
    await begun.promise;
    for (let later = 0; later < 3; later++) await statusOf(`${server.url}/livez`, {}); // both have arrived by then
    resolve('metric 1\n');
    const texts = await Promise.all(asked.map(async (answer) => (await answer).text()));
    expect(texts).toEqual(['metric 1\n', 'metric 1\n']);
    expect(collected).toBe(1);
  });

  it.each([
    ['rebound.example.org', 403],
    ['10.0.0.7:9808', 200],
    ['[::1]:9808', 200],
    ['localhost', 200],
    ['reattach.reattach.svc:9808', 200],
  ])('that asks for probes and metrics as %s is answered %i', async (host, status) => {
    await using server = await start();
    for (const path of ['/livez', '/readyz', '/metrics'])
      expect(await statusOf(`${server.url}${path}`, { host })).toBe(status);
  });
});
