import type { KubeWatchRequest } from '@reattach/k8s-api';
import { fromResponse, fromTransport, timedOut } from '@reattach/k8s-api/testing';
import { KubeSimError, type ServerWatch, type WatchEvent } from '@reattach/kube-sim';
import type { Link } from '../network/link.ts';
import type { SimulatedProcess } from '../time/simulated-process.ts';
import type { SimulationClock } from '../time/simulation-clock.ts';
import type { ApiServer, BreakableWatch } from '../world/api-server.ts';

/** Bound for the headers of a watch, ms; as in the real transport. */
const OPEN_TIMEOUT_MS = 15_000;

/** kube-apiserver sends a bookmark about once a minute. */
const BOOKMARK_INTERVAL_MS = 60_000;

interface InProcessWatchOptions {
  readonly server: ApiServer;
  readonly client: string;
  readonly clock: SimulationClock;
  readonly process: SimulatedProcess;
  readonly link: Link;
  readonly request: KubeWatchRequest;
}

/**
 * One watch over the simulated network. Events keep their order. While the way to the client is blocked, or the watch is
 * frozen, they wait as in a TCP send buffer.
 */
export class InProcessWatch implements Disposable, BreakableWatch {
  readonly #options: InProcessWatchOptions;
  readonly #cleanup = new DisposableStack();
  #buffer: WatchEvent[] = [];
  #waiting: WatchEvent[] = [];
  #frozen = false;
  #opened = false;
  #lastArrivalMs = 0;
  /** How the stream ended: normally, or with an error. */
  #end: { readonly error?: unknown } | undefined;
  #wake = Promise.withResolvers<void>();
  #serverSide: ServerWatch | undefined;

  constructor(options: InProcessWatchOptions) {
    this.#options = options;
  }

  get path(): string {
    return this.#options.request.path;
  }

  async *lines(): AsyncGenerator<unknown, void> {
    const { request, process } = this.#options;
    const { signal } = request;
    signal.throwIfAborted();
    const onAbort = () => this.#wake.resolve();
    signal.addEventListener('abort', onAbort, { once: true });
    try {
      this.#cleanup.use(process.schedule(OPEN_TIMEOUT_MS, () => this.#giveUpOpening()));
      this.#open();
      for (;;) {
        const events = this.#buffer;
        this.#buffer = [];
        for (const event of events) {
          if (signal.aborted) throw signal.reason;
          yield event;
        }
        if (signal.aborted) throw signal.reason;
        if (this.#buffer.length > 0) continue;
        if (this.#end) {
          if (this.#end.error !== undefined) throw this.#end.error;
          return;
        }
        this.#wake = Promise.withResolvers();
        await this.#wake.promise;
      }
    } finally {
      signal.removeEventListener('abort', onAbort);
    }
  }

  freeze(): void {
    this.#frozen = true;
  }

  thaw(): void {
    this.#frozen = false;
    this.#flush();
  }

  /** The connection is reset, or the server says that the history is gone. */
  breakOff(how: 'reset' | 'expired' | 'end'): void {
    if (how === 'expired') {
      const status = {
        kind: 'Status',
        status: 'Failure',
        code: 410,
        reason: 'Expired',
        message: 'too old resource version',
      };
      this.#send({ type: 'ERROR', object: status });
    }
    const error = Object.assign(new Error('the connection was reset'), { code: 'ECONNRESET' });
    this.#stop(how === 'reset' ? fromTransport('read', 'watch', error) : undefined);
  }

  [Symbol.dispose](): void {
    this.#cleanup.dispose();
  }

  #open(): void {
    const { clock, link } = this.#options;
    if (link.toServer.blocked) return;
    this.#cleanup.use(clock.after(link.toServer.delayMs(), () => this.#openAtServer()));
  }

  #openAtServer(): void {
    const { server, clock, link, request, client } = this.#options;
    const refused = server.refuse('read', client, request.path);
    if (refused?.kind === 'hang') return;
    if (refused) {
      this.#stop(
        refused.kind === 'answer'
          ? fromResponse(
              'read',
              'watch',
              refused.answer.status,
              JSON.stringify(refused.answer.body),
              undefined,
              0,
            )
          : fromTransport('read', 'watch', Object.assign(new Error(refused.code), { code: refused.code })),
      );
      return;
    }
    const { path, query } = request;
    try {
      this.#serverSide = this.#cleanup.use(
        server.api.watch({ method: 'GET', path, query }, (event) => this.#send(event)),
      );
    } catch (error) {
      if (!(error instanceof KubeSimError)) throw error;
      this.#stop(
        fromResponse('read', 'watch', error.httpStatus, JSON.stringify(error.toStatus()), undefined, 0),
      );
      return;
    }
    this.#opened = true;
    this.#cleanup.use(server.register(this));
    this.#cleanup.use(link.onChange(() => this.#flush()));
    this.#scheduleBookmark();
    const timeoutSeconds = Number(query['timeoutSeconds'] ?? 0);
    if (timeoutSeconds > 0) this.#cleanup.use(clock.after(timeoutSeconds * 1000, () => this.#onTimeout()));
  }

  #scheduleBookmark(): void {
    const timer = this.#options.clock.after(BOOKMARK_INTERVAL_MS, () => {
      this.#serverSide?.sendBookmark();
      this.#scheduleBookmark();
    });
    this.#cleanup.use(timer);
  }

  /** As kube-apiserver, which sends a last bookmark. */
  #onTimeout(): void {
    this.#serverSide?.sendBookmark();
    this.#stop(undefined);
  }

  #send(event: WatchEvent): void {
    if (this.#frozen || this.#options.link.toClient.blocked || this.#waiting.length > 0)
      this.#waiting.push(event);
    else this.#transmit(() => this.#buffer.push(event));
  }

  #flush(): void {
    if (this.#frozen || this.#options.link.toClient.blocked) return;
    const waiting = this.#waiting;
    this.#waiting = [];
    if (waiting.length > 0) this.#transmit(() => this.#buffer.push(...waiting));
  }

  #stop(error: unknown): void {
    if (this.#cleanup.disposed) return;
    if (this.#options.link.toClient.blocked) return; // the client never learns: its watchdog ends it
    this.#transmit(() => {
      this.#end ??= error === undefined ? {} : { error };
    });
  }

  /** Arrives at the client in the order of sending. */
  #transmit(arrive: () => void): void {
    const { clock, link, process } = this.#options;
    const arrivalMs = Math.max(clock.now() + link.toClient.delayMs(), this.#lastArrivalMs);
    this.#lastArrivalMs = arrivalMs;
    process.schedule(arrivalMs - clock.now(), () => {
      arrive();
      this.#wake.resolve();
    });
  }

  #giveUpOpening(): void {
    if (this.#opened) return;
    this.#end ??= { error: timedOut('read', 'watch', OPEN_TIMEOUT_MS) };
    this.#wake.resolve();
  }
}
