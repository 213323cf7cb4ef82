import { isDeepStrictEqual } from 'node:util';
import type { Logger } from '@reattach/core';
import { Agent } from 'undici';
import type { TlsOptions } from './credentials.ts';

/** Requests at a time; more wait. A release sends a handful, the leader lease one. */
const REQUEST_CONNECTIONS = 16;
/** No TCP and TLS connection within this time counts as none, ms. */
const CONNECT_TIMEOUT_MS = 5_000;
/** Idle time after which we close, ms: below kube-apiserver's 90 s and below cloud load balancers' 60 s. */
const KEEP_ALIVE_MS = 30_000;

/** The two pools of one set of TLS options. */
export interface Pools {
  readonly requests: Agent;
  /** Unlimited: a watch holds its connection, and must never keep a request waiting for one. */
  readonly watches: Agent;
}

/**
 * Keeps connections to the API server for reuse. HTTP/1.1 on purpose: an aborted request closes its own socket, so a
 * connection that died silently is used once and never again; under HTTP/2 it would serve everything that follows.
 */
export class ConnectionPools {
  readonly #logger: Logger;
  /** The current agents and those that still drain. */
  readonly #open = new Set<Agent>();
  #tls: TlsOptions | undefined;
  #pools: Pools | undefined;

  constructor(logger: Logger) {
    this.#logger = logger;
  }

  /** The pools for these options. Changed options (a renewed certificate) get new ones; the old ones drain. */
  for(tls: TlsOptions): Pools {
    if (this.#pools && isDeepStrictEqual(tls, this.#tls)) return this.#pools;
    if (this.#pools) {
      this.#logger.info('Replaced connections to the Kubernetes API after its TLS credentials changed');
      this.#drain(this.#pools.requests);
      this.#drain(this.#pools.watches);
    }
    this.#tls = tls;
    this.#pools = { requests: this.#create(tls, REQUEST_CONNECTIONS), watches: this.#create(tls, null) };
    return this.#pools;
  }

  /** Closes every connection, those in use too. Idempotent. */
  async destroy(): Promise<void> {
    const agents = [...this.#open];
    this.#open.clear();
    await Promise.all(agents.map((agent) => agent.destroy()));
  }

  #drain(agent: Agent): void {
    const forget = () => this.#open.delete(agent);
    agent.close().then(forget, forget);
  }

  #create(tls: TlsOptions, connections: number | null): Agent {
    const agent = new Agent({
      connections,
      allowH2: false,
      keepAliveTimeout: KEEP_ALIVE_MS,
      headersTimeout: 0, // the caller's clock bounds a request, its watchdog a watch
      bodyTimeout: 0,
      connect: { ...tls, timeout: CONNECT_TIMEOUT_MS, keepAliveInitialDelay: KEEP_ALIVE_MS },
    });
    this.#open.add(agent);
    return agent;
  }
}
