import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { setImmediate } from 'node:timers/promises';
import type { Logger } from '@reattach/core';
import { formatHostPort, type HostPort } from '../config/host-port.ts';
import { limitConnectionsPerAddress } from './connection-limit.ts';
import { parseFirstRequestOnly } from './first-request.ts';
import type { HealthReport } from './health.ts';
import { type HttpAnswer, type HttpRoute, jsonAnswer } from './http-route.ts';
import { singleFlight } from './single-flight.ts';
import { type Caller, mayProbe, mayReadState, type StateAccess } from './state-access.ts';

/** Where the endpoints listen and what they answer. */
export interface HttpServerOptions extends HostPort {
  /** `/livez`: is this process worth keeping? */
  readonly live: () => HealthReport;
  /** `/readyz`: is it doing its work? */
  readonly ready: () => HealthReport;
  /** `/metrics`; absent: 404. */
  readonly metricsText?: () => Promise<string>;
  /** What else is served. Default: nothing. */
  readonly routes?: readonly HttpRoute[];
  /** To whom those are. Default `local`. */
  readonly stateAccess?: StateAccess;
  readonly logger: Logger;
}

/** Longest request line and headers, bytes: probes and scrapes are tiny. */
const MAX_HEADER_BYTES = 8_192;
/** A client that has not sent its request by then is cut off at the next check, ms. */
const REQUEST_TIMEOUT_MS = 4_000;
/** How often Node checks that, ms; its default of 30 s would let half-sent requests hold connections. */
const CHECK_INTERVAL_MS = 1_000;
/** A connection without traffic in either direction is closed, ms: the client does not read its answer. */
const IDLE_TIMEOUT_MS = 5_000;
/** Connections beyond are refused: one kubelet and a few scrapers are expected. */
const MAX_CONNECTIONS = 64;
const MAX_CONNECTIONS_PER_ADDRESS = 16;

/**
 * `/livez`, `/readyz` and `/metrics` for probes and scrapers, and the routes it is given. A connection carries one request, so a client
 * that sends many and reads nothing costs one answer. Disposal closes every connection.
 */
export class HttpServer implements AsyncDisposable {
  readonly #server: Server;
  readonly #options: HttpServerOptions;
  readonly #metricsText: (() => Promise<string>) | undefined;

  private constructor(options: HttpServerOptions) {
    this.#options = options;
    this.#metricsText = options.metricsText && singleFlight(options.metricsText);
    this.#server = createServer(
      {
        maxHeaderSize: MAX_HEADER_BYTES,
        requestTimeout: REQUEST_TIMEOUT_MS,
        headersTimeout: REQUEST_TIMEOUT_MS,
        connectionsCheckingInterval: CHECK_INTERVAL_MS,
      },
      (request, response) => void this.#answer(request, response),
    );
    this.#server.maxConnections = MAX_CONNECTIONS;
    this.#server.maxRequestsPerSocket = 1;
    this.#server.on('dropRequest', (_request, socket) => socket.destroy());
    this.#server.setTimeout(IDLE_TIMEOUT_MS);
    parseFirstRequestOnly(this.#server);
    limitConnectionsPerAddress(this.#server, MAX_CONNECTIONS_PER_ADDRESS);
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
    const { routes = [], stateAccess = 'local', logger } = this.#options;
    response.setHeader('cache-control', 'no-store');
    response.setHeader('x-content-type-options', 'nosniff');
    const [path = '/', search] = request.url?.split('?', 2) ?? [];
    const own = routes.filter((route) => route.path === path);
    const methods = own.length > 0 ? own.map(({ method }) => method) : PROBE_PATHS.has(path) ? ['GET'] : [];
    if (methods.length === 0) return send(response, plain(404, 'Not found'));
    const method = request.method === 'HEAD' ? 'GET' : request.method;
    if (!methods.some((each) => each === method)) {
      const allowed = methods.flatMap((each) => (each === 'GET' ? ['GET', 'HEAD'] : [each]));
      response.setHeader('allow', allowed.join(', '));
      return send(response, plain(405, 'Method not allowed'));
    }
    try {
      const route = own.find((each) => each.method === method);
      if (!route) {
        const isExpected = mayProbe(stateAccess, callerOf(request), this.#options);
        return await send(response, isExpected ? await this.#answerProbe(path) : plain(403, 'Forbidden'));
      }
      if (!mayReadState(stateAccess, callerOf(request), this.#options))
        return await send(response, plain(403, 'Forbidden'));
      await send(response, await route.answer(new URLSearchParams(search)));
    } catch (err) {
      if (hasHungUp(err)) return;
      logger.warn('Could not answer request', { path, err });
      if (response.headersSent) response.destroy();
      else await send(response, plain(500, 'Failed; the log says why'));
    }
  }

  async #answerProbe(path: string): Promise<HttpAnswer> {
    const { live, ready } = this.#options;
    if (path === '/livez') return reportAnswer(live());
    if (path === '/readyz') return reportAnswer(ready());
    if (!this.#metricsText) return plain(404, 'Not found');
    return {
      status: 200,
      contentType: 'text/plain; version=0.0.4; charset=utf-8',
      body: await this.#metricsText(),
    };
  }
}

const PROBE_PATHS: ReadonlySet<string> = new Set(['/livez', '/readyz', '/metrics']);

function callerOf({ headers, socket }: IncomingMessage): Caller {
  return { address: socket.remoteAddress, host: headers.host, origin: headers.origin };
}

function hasHungUp(err: unknown): boolean {
  return err instanceof Error && 'code' in err && err.code === 'ERR_STREAM_PREMATURE_CLOSE';
}

function reportAnswer(report: HealthReport): HttpAnswer {
  return jsonAnswer(report.ok ? 200 : 503, report);
}

function plain(status: number, text: string): HttpAnswer {
  return { status, contentType: 'text/plain', body: `${text}\n` };
}

async function send(
  response: ServerResponse,
  { status, contentType, headers, body }: HttpAnswer,
): Promise<void> {
  const head = { ...headers, 'content-type': contentType };
  if (typeof body === 'string') {
    response.writeHead(status, { ...head, 'content-length': Buffer.byteLength(body) });
    response.end(response.req.method === 'HEAD' ? undefined : body);
    return;
  }
  response.writeHead(status, head);
  if (response.req.method === 'HEAD') {
    response.end();
    return;
  }
  await pipeline(Readable.from(inTurns(body)), response);
}

/** Gives everybody else a turn between two pieces. */
async function* inTurns(pieces: Iterable<string>): AsyncGenerator<string> {
  for (const piece of pieces) {
    yield piece;
    await setImmediate();
  }
}
