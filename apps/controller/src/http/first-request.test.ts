import { once } from 'node:events';
import { createServer } from 'node:http';
import { connect } from 'node:net';
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
  await once(socket, 'connect');
  for (const chunk of chunks) {
    socket.write(chunk);
    await new Promise((resolve) => setTimeout(resolve, 20));
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
