import { context, type Span, SpanKind, trace } from '@opentelemetry/api';
import { type Backoff, backoffMs, type Clock, delay, type Logger, silentLogger } from '@reattach/core';
import { BackendError } from './backend-error.ts';
import type { Dial, SshSession } from './ssh-session.ts';
import { createSshMetrics, type SshMetrics } from './telemetry/instruments.ts';
import { recordFailure } from './telemetry/record-failure.ts';
import { ATTR_BACKEND } from './telemetry/semconv.ts';
import { unlessAborted } from './unless-aborted.ts';

/** 1, 2, 4, 8, 16, 16, ... s. */
const RECONNECTS: Backoff = { initialMs: 1_000, maxMs: 16_000 };

/** Shortest wait after a wrong host key, ms: a person has to act, and asking again changes nothing. */
const HOST_KEY_RETRY_MS = 60_000;

export interface ConnectionManagerOptions {
  /** Name of the backend, for logs and metrics. */
  readonly name: string;
  readonly dial: Dial;
  readonly clock: Clock;
  /** A number in [0, 1) for the jitter; default `Math.random`. */
  readonly random?: () => number;
  readonly logger?: Logger;
  readonly metrics?: SshMetrics;
}

type State =
  | { readonly kind: 'idle' | 'closed' }
  | { readonly kind: 'dialling'; readonly session: Promise<SshSession> }
  | { readonly kind: 'connected'; readonly session: SshSession }
  | { readonly kind: 'waiting'; readonly error: BackendError; readonly retryAtMs: number };

/**
 * Owns the one connection to a backend and keeps it up in the background until it is disposed: reconnects after 1, 2, 4, 8, 16,
 * 16, ... s with 10 % jitter, whether the connection broke or never existed. All callers share it and its back-off: while
 * it waits they fail at once without touching the backend, so the back-off is the circuit breaker, too. It starts again
 * from 1 s only after a connection on which a command succeeded; a backend that accepts connections and then fails is not
 * hammered. The old connection is closed before a new one is opened.
 */
export class ConnectionManager implements AsyncDisposable {
  readonly #name: string;
  readonly #dial: Dial;
  readonly #clock: Clock;
  readonly #random: () => number;
  readonly #logger: Logger;
  readonly #metrics: SshMetrics;
  readonly #lifetime = new AbortController();
  readonly #listeners = new Set<() => void>();
  readonly #lossListeners = new Set<(error: BackendError) => void>();
  readonly #tracer = trace.getTracer('@reattach/ssh-transport');
  #state: State = { kind: 'idle' };
  #running: Promise<void> | undefined;

  constructor(options: ConnectionManagerOptions) {
    this.#name = options.name;
    this.#dial = options.dial;
    this.#clock = options.clock;
    this.#random = options.random ?? Math.random;
    this.#logger = options.logger ?? silentLogger;
    this.#metrics = options.metrics ?? createSshMetrics(options.name);
  }

  /**
   * Begins to connect in the background; succeeds whatever state the backend is in. Ends for good when `signal` aborts.
   * @throws {TypeError} when it was started before
   */
  start(signal: AbortSignal): void {
    if (this.#running) throw new TypeError(`The connection to backend ${this.#name} was already started`);
    this.#running = this.#run(AbortSignal.any([signal, this.#lifetime.signal]));
  }

  isConnected(): boolean {
    return this.#state.kind === 'connected';
  }

  /** Why it is not connected, for people; absent when it is. */
  get trouble(): string | undefined {
    const state = this.#state;
    if (state.kind === 'connected') return undefined;
    return state.kind === 'waiting' ? state.error.message : `the connection is ${state.kind}`;
  }

  /**
   * Calls `listener` after each connection but one that succeeds at the very first attempt: after a loss, and when a
   * backend that was down at the start comes up. An exception of a listener is logged.
   */
  onReconnect(listener: () => void): Disposable {
    const own = () => listener(); // the same function may be registered twice
    this.#listeners.add(own);
    return { [Symbol.dispose]: () => void this.#listeners.delete(own) };
  }

  /** Calls `listener` once per outage: after a loss, and when the first attempt fails. An exception of it is logged. */
  onDisconnect(listener: (error: BackendError) => void): Disposable {
    const own = (error: BackendError) => listener(error);
    this.#lossListeners.add(own);
    return { [Symbol.dispose]: () => void this.#lossListeners.delete(own) };
  }

  /**
   * The connection. Waits for an attempt in progress, never for a later one.
   * @throws {BackendError} the reason of the last failure while waiting to reconnect, `CLOSED` when it was not started or was
   * stopped; outcome `not-applied`
   * @throws `signal.reason` when `signal` aborts
   */
  async session(signal: AbortSignal): Promise<SshSession> {
    signal.throwIfAborted();
    const state = this.#state;
    if (state.kind === 'connected') return state.session;
    if (state.kind === 'dialling') return await unlessAborted(state.session, signal);
    if (state.kind !== 'waiting') {
      throw new BackendError('CLOSED', 'not-applied', `the connection is ${state.kind}`);
    }
    const { error, retryAtMs } = state;
    const inMs = Math.max(0, retryAtMs - this.#clock.now());
    const detail = `${error.detail}; next attempt in ${inMs} ms`;
    throw new BackendError(error.code, 'not-applied', detail, { cause: error });
  }

  /** Idempotent: stops reconnecting and resolves once the connection is closed. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#lifetime.abort(new BackendError('CLOSED', 'not-applied', 'the connection was disposed'));
    await this.#running;
    this.#state = { kind: 'closed' };
  }

  async #run(signal: AbortSignal): Promise<void> {
    let failures = 0;
    let connectedOnce = false;
    let isLossTold = false;
    let downSinceMs = this.#clock.now();
    while (!signal.aborted) {
      const reconnecting = connectedOnce || failures > 0;
      let end: BackendError;
      const span = this.#tracer.startSpan('connect storage backend', {
        root: true,
        kind: SpanKind.CLIENT,
        attributes: { [ATTR_BACKEND]: this.#name },
      });
      try {
        await using session = closing(await this.#connect(span, signal));
        signal.throwIfAborted();
        connectedOnce = true;
        isLossTold = false;
        const downMs = this.#clock.now() - downSinceMs;
        context.with(trace.setSpan(context.active(), span), () =>
          this.#connected(session.session, reconnecting, downMs),
        );
        end = await unlessAborted(session.session.closed, signal);
        downSinceMs = this.#clock.now();
        this.#state = { kind: 'waiting', error: end, retryAtMs: downSinceMs };
        this.#metrics.connectionChanged(false);
        if (session.session.completedCommands > 0) failures = 0;
      } catch (cause) {
        if (signal.aborted) break;
        end = asRdsError(cause);
        if (reconnecting) this.#metrics.reconnectEnded('failure');
      }
      failures += 1;
      const lost = end;
      if (!isLossTold) for (const listener of this.#lossListeners) this.#notify(() => listener(lost));
      isLossTold = true;
      await this.#backOff(end, failures, signal);
    }
    this.#state = { kind: 'closed' };
    this.#metrics.connectionChanged(false);
  }

  /** Ends `span`, which may still be linked to. */
  async #connect(span: Span, signal: AbortSignal): Promise<SshSession> {
    try {
      const dialling = this.#dial(signal);
      dialling.catch(() => undefined); // callers may share it; none has to
      this.#state = { kind: 'dialling', session: dialling };
      return await dialling;
    } catch (cause) {
      if (!signal.aborted) recordFailure(span, asRdsError(cause));
      throw cause;
    } finally {
      span.end();
    }
  }

  #connected(session: SshSession, reconnecting: boolean, downMs: number): void {
    this.#state = { kind: 'connected', session };
    this.#metrics.connectionChanged(true);
    if (!reconnecting) {
      this.#logger.info('Connected to storage backend', { backend: this.#name });
      return;
    }
    this.#metrics.reconnectEnded('success');
    this.#metrics.reconnected(downMs);
    this.#logger.info('Reconnected to storage backend', { backend: this.#name, durationMs: downMs });
    for (const listener of this.#listeners) this.#notify(listener);
  }

  #notify(listener: () => void): void {
    try {
      listener();
    } catch (err) {
      this.#logger.error('Listener of the connection failed', { backend: this.#name, err });
    }
  }

  async #backOff(error: BackendError, attempt: number, signal: AbortSignal): Promise<void> {
    const wrongKey = error.code === 'BAD_HOST_KEY';
    const retryInMs = backoffMs(RECONNECTS, attempt, this.#random());
    const delayMs = wrongKey ? Math.max(retryInMs, HOST_KEY_RETRY_MS) : retryInMs;
    this.#state = { kind: 'waiting', error, retryAtMs: this.#clock.now() + delayMs };
    const fields = { backend: this.#name, code: error.code, err: error, attempt, delayMs };
    if (wrongKey) {
      this.#logger.error(
        'Storage backend showed a wrong host key: it was replaced, or another machine answers at its address',
        fields,
      );
    } else if (attempt === 1) this.#logger.warn('Storage backend was not connected, reconnecting', fields);
    else this.#logger.debug('Storage backend was not connected, reconnecting', fields);
    await this.#wait(delayMs, signal);
  }

  /** Only an abort ends it early. */
  async #wait(delayMs: number, signal: AbortSignal): Promise<void> {
    try {
      await delay(this.#clock, delayMs, signal);
    } catch (err) {
      if (!signal.aborted) throw err;
    }
  }
}

function closing(session: SshSession): AsyncDisposable & { readonly session: SshSession } {
  return { session, [Symbol.asyncDispose]: () => session.close() };
}

function asRdsError(cause: unknown): BackendError {
  if (cause instanceof BackendError) return cause;
  return new BackendError('UNAVAILABLE', 'not-applied', 'the connection failed', { cause });
}
