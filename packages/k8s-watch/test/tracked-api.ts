import type { KubeApi, KubeRequest, KubeWatchRequest } from '@reattach/k8s-api';

/** Counts the calls in flight at an API client. */
export class TrackedApi implements KubeApi {
  readonly #inner: KubeApi;
  /** Requests and watches that have begun and not ended. */
  underWay = 0;

  constructor(inner: KubeApi) {
    this.#inner = inner;
  }

  get server(): string {
    return this.#inner.server;
  }

  async request(request: KubeRequest): Promise<unknown> {
    this.underWay += 1;
    try {
      return await this.#inner.request(request);
    } finally {
      this.underWay -= 1;
    }
  }

  async *watch(request: KubeWatchRequest): AsyncGenerator<unknown, void> {
    this.underWay += 1;
    try {
      yield* this.#inner.watch(request);
    } finally {
      this.underWay -= 1;
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {}
}
