import { type KubeApi, KubeApiError, pathOf } from '@reattach/k8s-api';

/** Bound of every request of a test, ms: a busy machine must not fail a test. */
const TIMEOUT_MS = 20_000;

/** A few verbs on paths, for those who play the cluster. What is gone or was changed meanwhile is an answer: `undefined`. */
export class KubeClient {
  readonly #api: KubeApi;
  readonly #signal: AbortSignal;

  constructor(api: KubeApi, signal: AbortSignal) {
    this.#api = api;
    this.#signal = signal;
  }

  get api(): KubeApi {
    return this.#api;
  }

  get<T>(path: string, query: Readonly<Record<string, string>> = {}): Promise<T | undefined> {
    return this.#send<T>('GET', path, { query });
  }

  create<T>(path: string, body: object): Promise<T | undefined> {
    return this.#send<T>('POST', path, { body });
  }

  /** Merge patch. */
  patch<T>(path: string, body: object): Promise<T | undefined> {
    return this.#send<T>('PATCH', path, { body, contentType: 'application/merge-patch+json' });
  }

  put<T>(path: string, body: object): Promise<T | undefined> {
    return this.#send<T>('PUT', path, { body });
  }

  remove(path: string, body: object = {}, query: Readonly<Record<string, string>> = {}): Promise<unknown> {
    return this.#send('DELETE', path, {
      body: { apiVersion: 'v1', kind: 'DeleteOptions', ...body },
      query,
    });
  }

  async #send<T>(
    method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE',
    path: string,
    rest: { readonly body?: object; readonly query?: Record<string, string>; readonly contentType?: string },
  ): Promise<T | undefined> {
    try {
      const request = {
        method,
        path,
        ...rest,
        operation: 'test',
        signal: this.#signal,
        timeoutMs: TIMEOUT_MS,
      };
      return (await this.#api.request(request)) as T;
    } catch (err) {
      if (err instanceof KubeApiError && (err.code === 'NOT_FOUND' || err.code === 'CONFLICT'))
        return undefined;
      throw err;
    }
  }
}

/** `/api/v1/namespaces/default/<resource>[/<name>[/<subresource>]]` */
export function inDefault(resource: string, ...rest: readonly string[]): string {
  return pathOf('api', 'v1', 'namespaces', 'default', resource, ...rest);
}
