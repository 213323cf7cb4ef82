/** A request as it was received. */
export interface LoggedRequest {
  /** Counts from 1 and is never reused. */
  readonly seq: number;
  readonly atMs: number;
  readonly method: string;
  /** Without the query. */
  readonly path: string;
  readonly query: Readonly<Record<string, string>>;
  /** Parsed JSON; absent without a body or when it cannot be parsed. */
  readonly body?: unknown;
  readonly contentType?: string;
  readonly userAgent?: string;
  /** `watch=true` was asked for. */
  readonly watch: boolean;
  /** Absent until the answer's headers were sent. */
  readonly status?: number;
}

/** Which requests are meant: by parts, all of which must fit, or by a predicate. A string path must be equal. */
export type RequestMatch =
  | { readonly method?: string; readonly path?: string | RegExp; readonly watch?: boolean }
  | ((request: LoggedRequest) => boolean);

export function matchesRequest(match: RequestMatch, request: LoggedRequest): boolean {
  if (typeof match === 'function') return match(request);
  const { method, path, watch } = match;
  return (
    (method === undefined || method === request.method) &&
    (path === undefined || (typeof path === 'string' ? path === request.path : path.test(request.path))) &&
    (watch === undefined || watch === request.watch)
  );
}

/** Everything received, oldest first, bounded: the oldest are dropped. */
export class RequestLog {
  readonly #limit: number;
  readonly #entries: LoggedRequest[] = [];
  readonly #listeners = new Set<(request: LoggedRequest) => void>();
  #seq = 0;

  constructor(limit: number) {
    this.#limit = limit;
  }

  get entries(): readonly LoggedRequest[] {
    return this.#entries;
  }

  add(request: Omit<LoggedRequest, 'seq' | 'status'>): LoggedRequest {
    this.#seq += 1;
    const entry = { seq: this.#seq, ...request };
    this.#entries.push(entry);
    if (this.#entries.length > this.#limit) this.#entries.shift();
    this.#notify(entry);
    return entry;
  }

  /** Calls `listener` with every request as it is received, before it is handled, and again when its status is known. */
  subscribe(listener: (request: LoggedRequest) => void): Disposable {
    this.#listeners.add(listener);
    return { [Symbol.dispose]: () => this.#listeners.delete(listener) };
  }

  /** Records the status of the answer. */
  answered(request: LoggedRequest, status: number): void {
    const entry = { ...request, status };
    const index = this.#entries.findLastIndex((candidate) => candidate.seq === request.seq);
    if (index >= 0) this.#entries[index] = entry;
    this.#notify(entry);
  }

  /**
   * Resolves with the first request, logged already or later, that fits. It is asked again when its status is known.
   * @throws `signal.reason` when `signal` aborts first.
   */
  async waitFor(match: RequestMatch, signal: AbortSignal): Promise<LoggedRequest> {
    signal.throwIfAborted();
    const logged = this.#entries.find((entry) => matchesRequest(match, entry));
    if (logged) return logged;
    const { promise, resolve, reject } = Promise.withResolvers<LoggedRequest>();
    using _subscription = this.subscribe((request) => {
      if (matchesRequest(match, request)) resolve(request);
    });
    const onAbort = () => reject(signal.reason);
    signal.addEventListener('abort', onAbort, { once: true });
    try {
      return await promise;
    } finally {
      signal.removeEventListener('abort', onAbort);
    }
  }

  #notify(request: LoggedRequest): void {
    for (const listener of this.#listeners) listener(request);
  }
}
