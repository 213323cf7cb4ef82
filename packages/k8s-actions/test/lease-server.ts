import type { FakeClock } from '@reattach/core/testing';
import { type KubeApi, KubeApiError, type KubeRequest } from '@reattach/k8s-api';

interface StoredLease {
  readonly metadata: { readonly resourceVersion: string; readonly [field: string]: unknown };
  readonly spec: Readonly<Record<string, unknown>>;
  readonly [field: string]: unknown;
}

/** What becomes of one request: how long it takes each way, and whether it, or only its answer, is lost. */
export interface Transit {
  readonly thereMs: number;
  readonly backMs: number;
  readonly lost?: 'request' | 'answer' | 'refused';
}

const INSTANT: Transit = { thereMs: 0, backMs: 0 };

/** One Lease behind an API server that checks resourceVersions; each client has its own road to it. */
export class LeaseServer {
  readonly clock: FakeClock;
  lease: StoredLease | undefined;
  #version = 0;

  constructor(clock: FakeClock) {
    this.clock = clock;
  }

  client(): LeaseClient {
    return new LeaseClient(this);
  }

  get holder(): unknown {
    return this.lease?.spec['holderIdentity'];
  }

  carryOut({ method, body }: KubeRequest): unknown {
    if (method === 'GET') return this.lease ?? refused('NOT_FOUND', 404, 'NotFound');
    const sent = body as StoredLease;
    if (method === 'POST') {
      if (this.lease) return refused('CONFLICT', 409, 'AlreadyExists');
    } else {
      if (!this.lease) return refused('NOT_FOUND', 404, 'NotFound');
      if (sent.metadata.resourceVersion !== this.lease.metadata.resourceVersion) {
        return refused('CONFLICT', 409, 'Conflict');
      }
    }
    this.#version += 1;
    const metadata = { ...sent.metadata, uid: 'lease-uid', resourceVersion: String(this.#version) };
    this.lease = structuredClone({ ...sent, metadata });
    return this.lease;
  }
}

function refused(code: 'NOT_FOUND' | 'CONFLICT', status: number, reason: string): never {
  throw new KubeApiError(code, 'not-applied', 'scripted', { status, reason });
}

/** The road of one replica. */
export class LeaseClient implements KubeApi {
  readonly server = 'https://kube.test';
  readonly requests: KubeRequest[] = [];
  /** Asked for each request. */
  transit: (request: KubeRequest) => Transit = () => INSTANT;
  readonly #server: LeaseServer;

  constructor(server: LeaseServer) {
    this.#server = server;
  }

  get calls(): string[] {
    return this.requests.map((request) => request.method);
  }

  async request(request: KubeRequest): Promise<unknown> {
    const { signal, timeoutMs = 10_000, method } = request;
    signal.throwIfAborted();
    this.requests.push(request);
    const { thereMs, backMs, lost } = this.transit(request);
    const { clock } = this.#server;
    const { promise, resolve, reject } = Promise.withResolvers<unknown>();
    const outcome = method === 'GET' ? 'not-applied' : 'unknown';
    using _timeout = clock.after(timeoutMs, () => reject(new KubeApiError('TIMEOUT', outcome, 'scripted')));
    const onAbort = () => reject(signal.reason);
    signal.addEventListener('abort', onAbort, { once: true });
    // A request that was sent arrives, whether or not its sender still waits.
    clock.after(thereMs, () => {
      if (lost === 'request') return;
      if (lost === 'refused') {
        reject(new KubeApiError('UNAVAILABLE', 'not-applied', 'scripted'));
        return;
      }
      let answer: () => void;
      try {
        const result = this.#server.carryOut(request);
        answer = () => resolve(result);
      } catch (err) {
        answer = () => reject(err);
      }
      if (lost !== 'answer') clock.after(backMs, answer);
    });
    try {
      return await promise;
    } finally {
      signal.removeEventListener('abort', onAbort);
    }
  }

  watch(): AsyncIterable<unknown> {
    throw new Error('not used');
  }

  async [Symbol.asyncDispose](): Promise<void> {}
}
