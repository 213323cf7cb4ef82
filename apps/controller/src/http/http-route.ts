/** What an endpoint answers. */
export interface HttpAnswer {
  readonly status: number;
  readonly contentType: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** Pieces are written one by one, and others are served between them. */
  readonly body: string | Iterable<string>;
}

/** One endpoint beside those for probes and scrapers. */
export interface HttpRoute {
  /** `GET` answers HEAD too. */
  readonly method: 'GET' | 'POST';
  readonly path: string;
  readonly answer: (query: URLSearchParams) => HttpAnswer | Promise<HttpAnswer>;
}

/** An answer in JSON, for people and machines. */
export function jsonAnswer(status: number, value: unknown): HttpAnswer {
  return { status, contentType: 'application/json', body: `${JSON.stringify(value, undefined, 2)}\n` };
}
