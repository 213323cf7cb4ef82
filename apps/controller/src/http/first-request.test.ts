import { once } from 'node:events';
import { createServer } from 'node:http';
import { connect, type Socket } from 'node:net';
import { setImmediate } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { parseFirstRequestOnly } from './first-request.ts';

/** How many requests were parsed, when these chunks are sent one after the other. */
async function parsed(chunks: readonly string[]): Promise<readonly string[]> {
  const urls: string[] = [];
  const server = createServer((request, response) => {
    urls.push(request.url ?? '');
    response.end('x');
  });
  server.maxRequestsPerSocket = 1;
  server.on('dropRequest', (request: { url?: string }, socket: { destroy(): void }) => {
    urls.push(request.url ?? '');
    socket.destroy();
  });
  parseFirstRequestOnly(server);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  const socket = connect(typeof address === 'object' && address ? address.port : 0, '127.0.0.1');
  socket.setNoDelay(true);
  socket.on('error', () => undefined); // it is cut off
  const closed = new Promise((resolve) => socket.once('close', resolve));
  const accepted = once(server, 'connection') as Promise<[Socket]>;
  const [[peer]] = await Promise.all([accepted, once(socket, 'connect')]);
  let sentBytes = 0;
  for (const chunk of chunks) {
    socket.write(chunk);
    sentBytes += chunk.length;
    while (!peer.destroyed && peer.bytesRead < sentBytes) await setImmediate();
  }
  socket.resume();
  await closed;
  server.close();
  return urls;
}

describe('parseFirstRequestOnly', () => {
  const next = 'GET /b HTTP/1.1\r\nHost: a\r\n\r\n';

  it('parses one of many requests in a chunk', async () => {
    expect(await parsed([`GET /a HTTP/1.1\r\nHost: a\r\n\r\n${next.repeat(16_000)}`])).toEqual(['/a']);
  });

  it('parses a head that arrives in parts, cut inside its end', async () => {
    expect(await parsed(['GET /a HT', 'TP/1.1\r\nHost: a\r', `\n\r`, `\n${next}`])).toEqual(['/a']);
  });

  it('answers a request whose body is discarded', async () => {
    expect(await parsed(['POST /a HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello'])).toEqual(['/a']);
  });
});
