import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { type Clock, delay } from '@reattach/core';
import { answer, requestFilter, versionServed } from './api.ts';
import { type Fault, Faults, type FaultTarget } from './faults.ts';
import { failureStatus, KubeSimError } from './kube-sim-error.ts';
import type { ObjectStore } from './object-store.ts';
import { type LoggedRequest, matchesRequest, type RequestLog, type RequestMatch } from './request-log.ts';
import type { Resource } from './resource.ts';
import { parseRoute, type Route } from './route.ts';
import { watchStart } from './watch-start.ts';
import { WatchStream } from './watch-stream.ts';

export interface KubeServerOptions {
  readonly store: ObjectStore;
  readonly log: RequestLog;
  readonly clock: Clock;
  readonly bookmarkIntervalMs: number;
  readonly resources: readonly Resource[];
  /** Serves watches with `sendInitialEvents`; otherwise they are refused with 422. */
  readonly streamingLists: boolean;
}

/** The HTTP side: reads requests, lets faults have their way, answers from the store. */
export class KubeServer implements FaultTarget {
  readonly faults: Faults = new Faults(this);
  readonly #options: KubeServerOptions;
  readonly #watches = new Set<WatchStream>();
  readonly #sockets = new Set<Socket>();
  readonly #lifetime = new AbortController();
  #server: Server | undefined;
  #port = 0;

  constructor(options: KubeServerOptions) {
    this.#options = options;
  }

  get port(): number {
    return this.#port;
  }

  async acceptConnections(): Promise<void> {
    if (this.#server || this.#lifetime.signal.aborted) return;
    const server = createServer((request, response) => void this.#handle(request, response));
    // Timeouts would run on the machine's clock and close sockets behind a fault's back.
    server.keepAliveTimeout = 0;
    server.requestTimeout = 0;
    server.headersTimeout = 0;
    server.on('connection', (socket) => {
      this.#sockets.add(socket);
      socket.once('close', () => this.#sockets.delete(socket));
    });
    this.#server = server;
    server.listen(this.#port, '127.0.0.1');
    await once(server, 'listening');
    this.#port = (server.address() as AddressInfo).port;
  }

  async refuseConnections(): Promise<void> {
    const server = this.#server;
    if (!server) return;
    this.#server = undefined;
    const closed = once(server, 'close');
    server.close();
    for (const socket of this.#sockets) socket.resetAndDestroy();
    await closed;
  }

  breakWatches(match: RequestMatch, effect: 'end' | 'reset' | 'expired' | 'half-open'): number {
    const broken = [...this.#watches].filter((watch) => matchesRequest(match, watch.request));
    for (const watch of broken) watch.break(effect);
    return broken.length;
  }

  get openWatches(): readonly LoggedRequest[] {
    return [...this.#watches].map((watch) => watch.request);
  }

  sendBookmarks(): void {
    for (const watch of this.#watches) if (watch.wantsBookmarks) watch.sendBookmark();
  }

  /** Stops listening, resets every socket, ends every watch and pending delay. */
  async close(): Promise<void> {
    this.#lifetime.abort();
    for (const watch of this.#watches) watch.close();
    await this.refuseConnections();
  }

  async #handle(incoming: IncomingMessage, response: ServerResponse): Promise<void> {
    response.on('error', () => undefined); // The server does not care about a client that went away.
    let text: string;
    try {
      text = Buffer.concat(await incoming.toArray()).toString();
    } catch {
      return; // The client went away in mid-body.
    }
    const { entry, problem } = this.#receive(incoming, text);
    const fault = this.faults.take(entry);
    try {
      if (problem) throw problem;
      await this.#serve(entry, response, fault);
    } catch (error) {
      if (this.#lifetime.signal.aborted) return;
      this.#sendError(entry, response, error);
    }
  }

  #receive(incoming: IncomingMessage, text: string): { entry: LoggedRequest; problem?: KubeSimError } {
    const url = new URL(incoming.url ?? '/', 'http://kube-sim');
    const query = Object.fromEntries(url.searchParams);
    const contentType = incoming.headers['content-type'];
    const userAgent = incoming.headers['user-agent'];
    const { body, problem } = parseBody(text);
    const entry = this.#options.log.add({
      atMs: this.#options.clock.now(),
      method: incoming.method ?? 'GET',
      path: url.pathname,
      query,
      ...(body !== undefined && { body }),
      ...(contentType !== undefined && { contentType }),
      ...(userAgent !== undefined && { userAgent }),
      watch: query['watch'] === 'true' || query['watch'] === '1',
    });
    return { entry, ...(problem && { problem }) };
  }

  async #serve(entry: LoggedRequest, response: ServerResponse, fault: Fault | undefined): Promise<void> {
    const { store, clock } = this.#options;
    const route = readRoute(entry.path, this.#options.resources);
    if (fault && 'applied' in fault && fault.applied) answer(store, route, entry);
    switch (fault?.kind) {
      case 'status': {
        const { status, reason = 'InternalError', message = 'injected fault', retryAfterSeconds } = fault;
        if (retryAfterSeconds !== undefined) response.setHeader('retry-after', retryAfterSeconds);
        const details = retryAfterSeconds === undefined ? undefined : { retryAfterSeconds };
        this.#send(entry, response, status, failureStatus(status, reason, message, details));
        return;
      }
      case 'throttle':
        response.setHeader('retry-after', fault.retryAfterSeconds ?? 1);
        this.#send(entry, response, 429, 'Too many requests, please try again later.\n');
        return;
      case 'hang':
        return;
      case 'reset':
        response.socket?.resetAndDestroy();
        return;
      case 'malformed':
        answer(store, route, entry);
        this.#sendText(entry, response, 200, '{"kind":"Sta', 'application/json');
        return;
      case 'delay':
        await delay(clock, fault.delayMs, this.#lifetime.signal);
        break;
      case 'stale':
      case 'watch':
      case undefined:
        break;
    }
    if (entry.watch && entry.method === 'GET' && route?.kind === 'collection') {
      this.#openWatch(entry, response, route, fault);
      return;
    }
    const version = fault?.kind === 'stale' ? versionServed(fault, entry, store) : undefined;
    const { status, body } = answer(store, route, entry, version);
    this.#send(entry, response, status, body);
  }

  #openWatch(
    request: LoggedRequest,
    response: ServerResponse,
    route: Extract<Route, { kind: 'collection' }>,
    fault: Fault | undefined,
  ): void {
    const { store, clock, bookmarkIntervalMs, streamingLists } = this.#options;
    const { query } = request;
    const timeoutSeconds = Number(query['timeoutSeconds'] ?? 0);
    const watch = new WatchStream({
      request,
      response,
      store,
      clock,
      resource: route.resource,
      filter: requestFilter(route, request),
      start: watchStart(query, streamingLists),
      bookmarks: query['allowWatchBookmarks'] === 'true',
      bookmarkIntervalMs,
      ...(timeoutSeconds > 0 && { timeoutMs: timeoutSeconds * 1000 }),
      ...(fault?.kind === 'watch' && { fault }),
      onClose: (closed) => this.#watches.delete(closed),
    });
    this.#watches.add(watch);
    this.#options.log.answered(request, 200);
    watch.open();
  }

  #sendError(entry: LoggedRequest, response: ServerResponse, error: unknown): void {
    if (error instanceof KubeSimError) {
      this.#send(entry, response, error.httpStatus, error.toStatus());
      return;
    }
    const message = error instanceof Error ? (error.stack ?? error.message) : String(error);
    this.#send(entry, response, 500, failureStatus(500, 'InternalError', message));
  }

  #send(entry: LoggedRequest, response: ServerResponse, status: number, body: unknown): void {
    if (typeof body === 'string') this.#sendText(entry, response, status, body, 'text/plain; charset=utf-8');
    else this.#sendText(entry, response, status, JSON.stringify(body), 'application/json');
  }

  #sendText(
    entry: LoggedRequest,
    response: ServerResponse,
    status: number,
    text: string,
    contentType: string,
  ): void {
    if (response.destroyed) return;
    response.writeHead(status, { 'content-type': contentType });
    response.end(text);
    this.#options.log.answered(entry, status);
  }
}

function parseBody(text: string): { readonly body?: unknown; readonly problem?: KubeSimError } {
  if (text === '') return {};
  try {
    return { body: JSON.parse(text) as unknown };
  } catch (error) {
    return { problem: new KubeSimError('BadRequest', `the body is not JSON: ${(error as Error).message}`) };
  }
}

function readRoute(path: string, resources: readonly Resource[]): Route | undefined {
  try {
    return parseRoute(path, resources);
  } catch {
    throw new KubeSimError('BadRequest', `the path is not percent-encoded correctly: ${path}`);
  }
}
