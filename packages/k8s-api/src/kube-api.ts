/** One request to the API server. */
export interface KubeRequest {
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  /** Absolute path, e.g. `/api/v1/nodes/node-a`. Names in it are already percent-encoded (see `pathOf`). */
  readonly path: string;
  readonly query?: Readonly<Record<string, string>>;
  /** Sent as JSON. */
  readonly body?: unknown;
  /** Default `application/json`; a PATCH names its patch type. */
  readonly contentType?: string;
  /** Low-cardinality span name, e.g. `delete volumeattachment`. */
  readonly operation: string;
  readonly signal: AbortSignal;
  /** Bound for the whole request, ms. Default 10 000. */
  readonly timeoutMs?: number;
  /** How the text of a good answer is read. Default `JSON.parse`; when it throws, the answer was malformed. */
  readonly parse?: (text: string) => unknown;
}

/** A watch: lines of JSON until the server or the signal ends it. */
export interface KubeWatchRequest {
  readonly path: string;
  readonly query: Readonly<Record<string, string>>;
  readonly signal: AbortSignal;
}

/** The API server as Reattach sees it: raw JSON in, raw JSON out, every call abortable and bounded. */
export interface KubeApi extends AsyncDisposable {
  /** Base URL of the API server, without credentials. */
  readonly server: string;
  /** @throws {KubeApiError} with the outcome it leaves behind. Rejects with `signal.reason` when aborted. */
  request(request: KubeRequest): Promise<unknown>;
  /**
   * Opens a watch and yields each line parsed. Ends normally when the server closes the stream.
   * @throws {KubeApiError} `MALFORMED` for a line that is not JSON, `UNAVAILABLE` when the stream breaks.
   */
  watch(request: KubeWatchRequest): AsyncIterable<unknown>;
}
