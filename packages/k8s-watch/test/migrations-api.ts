import { type KubeApi, KubeApiError, type KubeRequest, type KubeWatchRequest } from '@reattach/k8s-api';
import { MIGRATIONS_PATH } from '../src/live-migration.ts';

/** Puts KubeVirt's migrations in front of an API server that has none. Lists only: a watch stays silent until told. */
export class MigrationsApi implements KubeApi {
  readonly #inner: KubeApi;
  readonly #migrations = new Map<string, object>();
  #version = 1;
  #wake = Promise.withResolvers<object>();

  constructor(inner: KubeApi) {
    this.#inner = inner;
  }

  get server(): string {
    return this.#inner.server;
  }

  set(namespace: string, name: string, vmiName: string, phase: string): void {
    this.#version += 1;
    const uid = `uid-of-${name}`;
    const object = {
      metadata: { namespace, name, uid, resourceVersion: String(this.#version) },
      spec: { vmiName },
      status: { phase },
    };
    const type = this.#migrations.has(name) ? 'MODIFIED' : 'ADDED';
    this.#migrations.set(name, object);
    this.#wake.resolve({ type, object });
  }

  async request(request: KubeRequest): Promise<unknown> {
    if (request.path !== MIGRATIONS_PATH) return this.#inner.request(request);
    return { metadata: { resourceVersion: String(this.#version) }, items: [...this.#migrations.values()] };
  }

  watch(request: KubeWatchRequest): AsyncIterable<unknown> {
    return request.path === MIGRATIONS_PATH ? this.#watch(request) : this.#inner.watch(request);
  }

  async [Symbol.asyncDispose](): Promise<void> {}

  async *#watch({ query, signal }: KubeWatchRequest): AsyncGenerator<unknown, void> {
    if ('sendInitialEvents' in query) throw new KubeApiError('INVALID', 'not-applied', 'forbidden for watch');
    const aborted = Promise.withResolvers<never>();
    const onAbort = () => aborted.reject(signal.reason);
    signal.addEventListener('abort', onAbort, { once: true });
    try {
      for (;;) {
        const event = await Promise.race([this.#wake.promise, aborted.promise]);
        this.#wake = Promise.withResolvers();
        yield event;
      }
    } finally {
      signal.removeEventListener('abort', onAbort);
    }
  }
}
