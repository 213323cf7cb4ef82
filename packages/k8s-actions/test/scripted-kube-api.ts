import { type KubeApi, KubeApiError, type KubeApiErrorCode, type KubeRequest } from '@reattach/k8s-api';

/** What a request is answered with: an object, an error to throw, or a function that decides. */
export type Answer = object | Error | ((request: KubeRequest) => unknown);

/** Answers requests from a script, in order, and keeps them; one request too many fails the test. */
export class ScriptedKubeApi implements KubeApi {
  readonly server = 'https://kube.test';
  readonly requests: KubeRequest[] = [];
  readonly #answers: Answer[];

  constructor(...answers: Answer[]) {
    this.#answers = answers;
  }

  /** `METHOD path` of every request so far. */
  get calls(): string[] {
    return this.requests.map((request) => `${request.method} ${request.path}`);
  }

  expect(...answers: Answer[]): void {
    this.#answers.push(...answers);
  }

  async request(request: KubeRequest): Promise<unknown> {
    request.signal.throwIfAborted();
    this.requests.push(request);
    const answer = this.#answers.shift();
    if (answer === undefined) throw new Error(`unexpected ${request.method} ${request.path}`);
    if (answer instanceof Error) throw answer;
    return typeof answer === 'function' ? answer(request) : answer;
  }

  watch(): AsyncIterable<unknown> {
    throw new Error('not used');
  }

  async [Symbol.asyncDispose](): Promise<void> {}
}

const STATUSES: Partial<Record<KubeApiErrorCode, { readonly status: number; readonly reason: string }>> = {
  FORBIDDEN: { status: 403, reason: 'Forbidden' },
  NOT_FOUND: { status: 404, reason: 'NotFound' },
  CONFLICT: { status: 409, reason: 'Conflict' },
  TOO_MANY_REQUESTS: { status: 429, reason: 'TooManyRequests' },
  SERVER_ERROR: { status: 500, reason: 'InternalError' },
};

/** The API server's refusal, as the transport reports it. */
export function refusal(code: KubeApiErrorCode, retryAfterMs?: number): KubeApiError {
  return new KubeApiError(
    code,
    code === 'TIMEOUT' || code === 'SERVER_ERROR' ? 'unknown' : 'not-applied',
    'scripted',
    {
      ...STATUSES[code],
      ...(retryAfterMs !== undefined && { retryAfterMs }),
    },
  );
}
