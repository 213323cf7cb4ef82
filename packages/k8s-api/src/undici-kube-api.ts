import { SpanKind, SpanStatusCode } from '@opentelemetry/api';
import type { Clock, Logger } from '@reattach/core';
import type { Dispatcher } from 'undici';
import { ConnectionPools, type Pools } from './connection-pools.ts';
import type { CredentialSource } from './credentials.ts';
import type { KubeApi, KubeRequest, KubeWatchRequest } from './kube-api.ts';
import { KubeApiError } from './kube-api-error.ts';
import { linkAbort } from './link-abort.ts';
import { splitLines } from './split-lines.ts';
import { ATTRIBUTE, createInstruments, tracer } from './telemetry/instruments.ts';
import {
  disposed,
  fromResponse,
  fromTransport,
  malformed,
  noCredentials,
  type RequestKind,
  timedOut,
} from './translate-error.ts';

/** Bound for a request that names none, ms. */
const REQUEST_TIMEOUT_MS = 10_000;
/** Bound for the headers of a watch, ms. kube-apiserver sends them at once, whether or not there are events. */
const WATCH_OPEN_TIMEOUT_MS = 15_000;
/** How the API server's log and audit know us. */
const USER_AGENT = 'reattach';

interface Send {
  readonly pool: keyof Pools;
  readonly method: KubeRequest['method'];
  readonly path: string;
  readonly query: Readonly<Record<string, string>>;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | null;
  readonly signal: AbortSignal;
}

/** What an `UndiciKubeApi` is made of. */
export interface UndiciKubeApiParts {
  /** Absolute URL; a path in it prefixes every request's. */
  readonly server: string;
  readonly credentials: Pick<CredentialSource, 'read'>;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** `KubeApi` over undici: raw JSON both ways, connections kept for reuse, one pool for requests and one for watches. */
export class UndiciKubeApi implements KubeApi {
  readonly server: string;
  readonly #origin: string;
  readonly #prefix: string;
  readonly #credentials: Pick<CredentialSource, 'read'>;
  readonly #clock: Clock;
  readonly #pools: ConnectionPools;
  readonly #instruments = createInstruments();
  readonly #lifetime = new AbortController();
  readonly #serverAttributes: Readonly<Record<string, string | number>>;

  constructor({ server, credentials, clock, logger }: UndiciKubeApiParts) {
    const url = new URL(server);
    this.server = server;
    this.#origin = url.origin;
    this.#prefix = url.pathname.replace(/\/+$/, '');
    this.#credentials = credentials;
    this.#clock = clock;
    this.#pools = new ConnectionPools(logger);
    this.#serverAttributes = {
      [ATTRIBUTE.serverAddress]: url.hostname,
      [ATTRIBUTE.serverPort]: Number(url.port || (url.protocol === 'http:' ? 80 : 443)),
    };
  }

  async request(request: KubeRequest): Promise<unknown> {
    request.signal.throwIfAborted();
    const startMs = this.#clock.now();
    const span = tracer.startSpan(`k8s ${request.operation}`, {
      kind: SpanKind.CLIENT,
      attributes: { ...this.#serverAttributes, [ATTRIBUTE.method]: request.method },
    });
    const metricAttributes: Record<string, string> = { [ATTRIBUTE.operation]: request.operation };
    try {
      const { status, json } = await this.#exchange(request);
      span.setAttribute(ATTRIBUTE.status, status);
      return json;
    } catch (error) {
      if (error instanceof KubeApiError && !request.signal.aborted) {
        if (error.status !== undefined) span.setAttribute(ATTRIBUTE.status, error.status);
        span.setAttribute(ATTRIBUTE.errorType, error.code).setStatus({ code: SpanStatusCode.ERROR });
        metricAttributes[ATTRIBUTE.errorType] = error.code;
      }
      throw error;
    } finally {
      span.end();
      if (!request.signal.aborted) {
        this.#instruments.requestDuration.record((this.#clock.now() - startMs) / 1000, metricAttributes);
      }
    }
  }

  async *watch({ path, query, signal }: KubeWatchRequest): AsyncGenerator<unknown, void> {
    signal.throwIfAborted();
    const what = `watch ${path}`;
    using link = linkAbort(signal, this.#lifetime.signal);
    try {
      const response = await this.#openWatch(what, path, query, link.controller);
      for await (const line of splitLines(response.body)) {
        yield parse('read', what, line);
        signal.throwIfAborted();
      }
    } catch (error) {
      throw this.#explain('read', what, error, signal);
    } finally {
      link.controller.abort(); // closes the socket when the reader stops early
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#lifetime.abort();
    await this.#pools.destroy();
  }

  async #exchange(request: KubeRequest): Promise<{ status: number; json: unknown }> {
    const { method, path, signal, timeoutMs = REQUEST_TIMEOUT_MS } = request;
    const kind: RequestKind = method === 'GET' ? 'read' : 'write';
    const what = `${method} ${path}`;
    const body = request.body === undefined ? null : JSON.stringify(request.body);
    using link = linkAbort(signal, this.#lifetime.signal);
    using _timer = this.#clock.after(timeoutMs, () => link.controller.abort(timedOut(kind, what, timeoutMs)));
    try {
      const response = await this.#send(what, {
        pool: 'requests',
        method,
        path,
        query: request.query ?? {},
        headers: body === null ? {} : { 'content-type': request.contentType ?? 'application/json' },
        body,
        signal: link.controller.signal,
      });
      const text = await response.body.text();
      const status = response.statusCode;
      if (status < 200 || status > 299) {
        throw fromResponse(kind, what, status, text, retryAfter(response), this.#clock.now());
      }
      return { status, json: parse(kind, what, text, request.parse) };
    } catch (error) {
      throw this.#explain(kind, what, error, signal);
    }
  }

  async #openWatch(
    what: string,
    path: string,
    query: Readonly<Record<string, string>>,
    controller: AbortController,
  ): Promise<Dispatcher.ResponseData> {
    using _timer = this.#clock.after(WATCH_OPEN_TIMEOUT_MS, () =>
      controller.abort(timedOut('read', what, WATCH_OPEN_TIMEOUT_MS)),
    );
    const { signal } = controller;
    const response = await this.#send(what, {
      pool: 'watches',
      method: 'GET',
      path,
      query: { ...query, watch: 'true' },
      headers: {},
      body: null,
      signal,
    });
    if (response.statusCode === 200) return response;
    const text = await response.body.text();
    throw fromResponse('read', what, response.statusCode, text, retryAfter(response), this.#clock.now());
  }

  async #send(what: string, { pool, method, path, query, headers, body, signal }: Send) {
    if (this.#lifetime.signal.aborted) throw disposed('read', what); // nothing was sent
    signal.throwIfAborted();
    const credentials = await abortable(this.#credentials.read(), signal).catch((error: unknown) => {
      throw signal.aborted ? error : noCredentials(what, error);
    });
    return await this.#pools.for(credentials.tls)[pool].request({
      origin: this.#origin,
      path: this.#prefix + path,
      query,
      method,
      headers: { accept: 'application/json', 'user-agent': USER_AGENT, ...credentials.headers, ...headers },
      body,
      signal,
    });
  }

  /** The caller's abort comes through as its reason; everything else becomes our error. */
  #explain(kind: RequestKind, what: string, error: unknown, signal: AbortSignal): unknown {
    if (signal.aborted) return signal.reason;
    if (error instanceof KubeApiError) return error;
    if (this.#lifetime.signal.aborted) return disposed(kind, what);
    if (error instanceof RangeError) return malformed(kind, what);
    return fromTransport(kind, what, error);
  }
}

function parse(
  kind: RequestKind,
  what: string,
  text: string,
  read: (text: string) => unknown = JSON.parse,
): unknown {
  try {
    return read(text);
  } catch {
    throw malformed(kind, what);
  }
}

function retryAfter(response: Dispatcher.ResponseData): string | undefined {
  const header = response.headers['retry-after'];
  return typeof header === 'string' ? header : undefined;
}

/** Settles with `promise`, or rejects with the signal's reason, whichever comes first. */
async function abortable<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  const { promise: aborted, reject } = Promise.withResolvers<never>();
  const onAbort = () => reject(signal.reason);
  signal.addEventListener('abort', onAbort, { once: true });
  try {
    return await Promise.race([promise, aborted]);
  } finally {
    signal.removeEventListener('abort', onAbort);
  }
}
