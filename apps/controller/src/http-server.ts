import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { Logger } from '@reattach/core';
import type { HealthReport } from './health.ts';
import { formatHostPort, type HostPort } from './host-port.ts';

/** Where the endpoints listen and what they answer. */
export interface HttpServerOptions extends HostPort {
  /** `/livez`: is this process worth keeping? */
  readonly live: () => HealthReport;
  /** `/readyz`: is it doing its work? */
  readonly ready: () => HealthReport;
  /** `/metrics`; absent: 404. */
  readonly metricsText?: () => Promise<string>;
  readonly logger: Logger;
}

/** Longest request line and headers, bytes: probes and scrapes are tiny. */
const MAX_HEADER_BYTES = 8_192;
/** A client that has not sent its request by then is cut off, ms. */
const REQUEST_TIMEOUT_MS = 5_000;
/** Connections beyond are refused: one kubelet and a few scrapers are expected. */
const MAX_CONNECTIONS = 64;

/** `/livez`, `/readyz` and `/metrics` for probes and scrapers; GET and HEAD only. Disposal closes every connection. */
export class HttpServer implements AsyncDisposable {
  readonly #server: Server;
  readonly #options: HttpServerOptions;

  private constructor(options: HttpServerOptions) {
    this.#options = options;
    this.#server = createServer(
      {
        maxHeaderSize: MAX_HEADER_BYTES,
        requestTimeout: REQUEST_TIMEOUT_MS,
        headersTimeout: REQUEST_TIMEOUT_MS,
      },
      (request, response) => void this.#answer(request, response),
    );
    this.#server.maxConnections = MAX_CONNECTIONS;
  }

  /** @throws the error of `listen`, e.g. EADDRINUSE. */
  static async start(options: HttpServerOptions): Promise<HttpServer> {
    const server = new HttpServer(options);
    const listening = once(server.#server, 'listening');
    server.#server.listen({ host: options.host, port: options.port });
    await listening;
    return server;
  }

  /** `http://host:port` with the port that was really taken. */
  get url(): string {
    const address = this.#server.address();
    const port = typeof address === 'object' && address ? address.port : this.#options.port;
    return `http://${formatHostPort({ host: this.#options.host, port })}`;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (!this.#server.listening) return;
    const closed = once(this.#server, 'close');
    this.#server.close();
    this.#server.closeAllConnections();
    await closed;
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    response.setHeader('cache-control', 'no-store');
    if (request.method !== 'GET' && request.method !== 'HEAD') {
      response.setHeader('allow', 'GET, HEAD');
      return send(response, 405, 'text/plain', 'Method not allowed\n');
    }
    const { live, ready, metricsText, logger } = this.#options;
    const path = request.url?.split('?')[0];
    if (path === '/livez') return sendReport(response, live());
    if (path === '/readyz') return sendReport(response, ready());
    if (path !== '/metrics' || !metricsText) return send(response, 404, 'text/plain', 'Not found\n');
    try {
      send(response, 200, 'text/plain; version=0.0.4; charset=utf-8', await metricsText());
    } catch (err) {
      logger.warn('Could not collect metrics', { err });
      send(response, 500, 'text/plain', 'Metrics could not be collected\n');
    }
  }
}

function sendReport(response: ServerResponse, report: HealthReport): void {
  send(response, report.ok ? 200 : 503, 'application/json', `${JSON.stringify(report, undefined, 2)}\n`);
}

function send(response: ServerResponse, status: number, contentType: string, body: string): void {
  response.writeHead(status, { 'content-type': contentType, 'content-length': Buffer.byteLength(body) });
  response.end(response.req.method === 'HEAD' ? undefined : body);
}
