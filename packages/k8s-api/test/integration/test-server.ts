import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';

/** What arrived. */
export interface Received {
  readonly method: string | undefined;
  readonly url: string | undefined;
  readonly headers: IncomingMessage['headers'];
  readonly body: string;
}

/** A plain HTTP server that hands every request to `answer` and counts connections. */
export interface TestServer extends AsyncDisposable {
  readonly url: string;
  readonly received: Received[];
  /** Connections accepted so far. */
  connections(): number;
  /** Connections open now. */
  open(): Promise<number>;
}

export async function startTestServer(
  answer: (response: ServerResponse, received: Received) => void,
): Promise<TestServer> {
  const received: Received[] = [];
  let connections = 0;
  const server = createServer((request, response) => {
    void accept(request, response);
  });
  const accept = async (request: IncomingMessage, response: ServerResponse) => {
    const body = await text(request);
    const entry = { method: request.method, url: request.url, headers: request.headers, body };
    received.push(entry);
    answer(response, entry);
  };
  server.on('connection', () => connections++);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    received,
    connections: () => connections,
    open: () =>
      new Promise((resolve, reject) =>
        server.getConnections((error, count) => (error ? reject(error) : resolve(count))),
      ),
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}
