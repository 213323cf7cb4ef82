import type { KubeApi, KubeApiError, KubeRequest, KubeWatchRequest } from '@reattach/k8s-api';
import { fromResponse, fromTransport, timedOut } from '@reattach/k8s-api/testing';
import type { Answer } from '@reattach/kube-sim';
import type { Link } from '../network/link.ts';
import type { SimulatedProcess } from '../time/simulated-process.ts';
import type { SimulationClock } from '../time/simulation-clock.ts';
import type { ApiServer } from '../world/api-server.ts';
import type { EffectGate } from './effect-gate.ts';
import { InProcessWatch } from './in-process-watch.ts';

/** Bound for a request that names none, ms; as in the real transport. */
const REQUEST_TIMEOUT_MS = 10_000;

export interface InProcessKubeApiOptions {
  readonly server: ApiServer;
  /** Who calls, for the audit of the server. */
  readonly client: string;
  readonly clock: SimulationClock;
  readonly process: SimulatedProcess;
  readonly link: Link;
  readonly gate: EffectGate;
}

/** `KubeApi` over a simulated network: requests and answers take time, overtake each other and get lost on their own. */
export class InProcessKubeApi implements KubeApi {
  readonly server = 'https://in-process';
  readonly #options: InProcessKubeApiOptions;

  constructor(options: InProcessKubeApiOptions) {
    this.#options = options;
  }

  async request(request: KubeRequest): Promise<unknown> {
    const { signal, method, operation, timeoutMs = REQUEST_TIMEOUT_MS } = request;
    signal.throwIfAborted();
    const { process, gate } = this.#options;
    const kind = method === 'GET' ? 'read' : 'write';
    const { promise, resolve, reject } = Promise.withResolvers<Answer>();
    const onAbort = () => reject(signal.reason);
    signal.addEventListener('abort', onAbort, { once: true });
    const limit = process.schedule(timeoutMs, () => reject(timedOut(kind, operation, timeoutMs)));
    gate.pass(method !== 'GET', () => this.#send(request, resolve, reject));
    try {
      const { status, body, retryAfter } = asWire(await promise);
      if (status >= 300) {
        const text = typeof body === 'string' ? body : JSON.stringify(body);
        throw fromResponse(kind, operation, status, text, retryAfter, process.clock.now());
      }
      return request.parse ? request.parse(JSON.stringify(body)) : body;
    } finally {
      signal.removeEventListener('abort', onAbort);
      limit[Symbol.dispose]();
    }
  }

  async *watch(request: KubeWatchRequest): AsyncGenerator<unknown, void> {
    const { server, clock, process, link, client } = this.#options;
    using watch = new InProcessWatch({ server, clock, process, link, client, request });
    yield* watch.lines();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    // Nothing is kept open.
  }

  #send(
    request: KubeRequest,
    resolve: (answer: Answer) => void,
    reject: (error: KubeApiError) => void,
  ): void {
    const { server, client, clock, process, link } = this.#options;
    const { method, path, query = {}, body, contentType, operation } = request;
    const kind = method === 'GET' ? 'read' : 'write';
    if (link.toServer.blocked) return; // the time limit ends it
    clock.after(link.toServer.delayMs(), () => {
      const served = server.serve(
        { method, path, query, ...(body !== undefined && { body }), ...(contentType && { contentType }) },
        client,
      );
      if (link.toClient.blocked || served.kind === 'hang') return;
      process.schedule(link.toClient.delayMs(), () => {
        if (served.kind === 'answer') resolve(served.answer);
        else
          reject(
            fromTransport(kind, operation, Object.assign(new Error(served.code), { code: served.code })),
          );
      });
    });
  }
}

/** `Retry-After` travels in the body's details, as the API server puts it there too. */
function asWire(answer: Answer): Answer & { readonly retryAfter: string | undefined } {
  const details = (answer.body as { details?: { retryAfterSeconds?: number } } | undefined)?.details;
  const seconds = answer.status >= 400 ? details?.retryAfterSeconds : undefined;
  return { ...answer, retryAfter: seconds === undefined ? undefined : String(seconds) };
}
