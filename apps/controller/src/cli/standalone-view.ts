import { randomBytes } from 'node:crypto';
import {
  BackendFleet,
  type Clock,
  EMPTY_QUERY,
  type Mode,
  PlanPreview,
  type Policy,
  type Preview,
  type StorageBackend,
  type StorageReading,
  silentLogger,
} from '@reattach/core';
import { type KubeApi, loadKubeApi } from '@reattach/k8s-api';
import { KubeCaches } from '@reattach/k8s-watch';
import type { Config } from '../config/config.ts';
import { reservedAddresses } from '../config/reserved-addresses.ts';
import { createBackend } from '../create-backend.ts';
import { CliError } from './cli-error.ts';

/** Longest wait for the first lists, ms. */
const SYNC_TIMEOUT_MS = 20_000;
const TIMEOUT_MS = 10_000;

/**
 * Cluster and backends as a command reads them without a controller: once, without any history. So a node whose session has left the
 * backend's tracking counts as never seen live, and a deleted Node as deleted just now.
 */
export class StandaloneView implements AsyncDisposable {
  readonly config: Config;
  readonly api: KubeApi;
  readonly caches: KubeCaches;
  readonly backends: readonly StorageBackend[];
  readonly planPreview: PlanPreview;
  /** The configured policy, with the addresses that must never be fenced. */
  readonly policy: Policy;
  readonly #clock: Clock;
  readonly #signal: AbortSignal;
  readonly #resources: AsyncDisposableStack;

  private constructor(
    parts: Pick<StandaloneView, 'config' | 'api' | 'caches' | 'backends'>,
    resources: AsyncDisposableStack,
    clock: Clock,
    signal: AbortSignal,
  ) {
    const { config, api, caches, backends } = parts;
    this.config = config;
    this.api = api;
    this.caches = caches;
    this.backends = backends;
    const reserved = reservedAddresses(config.backends, api.server);
    this.policy = { ...config.policy, addresses: { ...config.policy.addresses, reserved } };
    const fleet = new BackendFleet(backends);
    this.planPreview = new PlanPreview({ cluster: caches, fleet, policy: this.policy, clock });
    this.#resources = resources;
    this.#clock = clock;
    this.#signal = signal;
  }

  /** @throws {CliError} when the cluster does not answer. A backend that does not is part of what is seen. */
  static async open(config: Config, clock: Clock, signal: AbortSignal): Promise<StandaloneView> {
    await using opening = new AsyncDisposableStack();
    const { kubeconfigPaths, context, policy } = config;
    const api = opening.use(
      loadKubeApi({
        kubeconfigPaths,
        context,
        clock,
      }),
    );
    try {
      await api.request({
        method: 'GET',
        path: '/version',
        operation: 'get version',
        signal,
        timeoutMs: TIMEOUT_MS,
      });
    } catch (err) {
      signal.throwIfAborted();
      throw new CliError(`The cluster at ${api.server} does not answer: ${messageOf(err)}`);
    }
    const watchLeases = policy.earlyDetection.enabled;
    const caches = opening.use(new KubeCaches({ api, clock, logger: silentLogger, watchLeases }));
    const backends = config.backends.map((backend) => opening.use(createBackend(backend, { clock })));
    caches.start();
    for (const backend of backends) backend.start(signal);
    const timeout = AbortSignal.timeout(SYNC_TIMEOUT_MS);
    try {
      await caches.waitForSync(AbortSignal.any([signal, timeout]));
    } catch (err) {
      signal.throwIfAborted();
      if (!timeout.aborted) throw err;
      throw new CliError(
        `The cluster could not be read within ${SYNC_TIMEOUT_MS / 1_000} s: ${caches.freshness().detail}`,
      );
    }
    return new StandaloneView({ config, api, caches, backends }, opening.move(), clock, signal);
  }

  /**
   * Reads every backend as a pass would, one without lost nodes with an empty query, and evaluates as a pass would.
   * @param mode default: the configured one
   */
  async read(mode?: Mode): Promise<Preview> {
    const queries = this.planPreview.queries(this.#clock.now());
    const readings = new Map<string, StorageReading>();
    await Promise.all(
      this.backends.map(async (backend) => {
        readings.set(backend.name, await backend.observe(queries.get(backend) ?? EMPTY_QUERY, this.#signal));
      }),
    );
    return this.planPreview.inspect(this.#clock.now(), { readings, mode });
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#resources.disposeAsync();
  }
}

/** A name for a new fence. */
export function newFenceId(): string {
  return randomBytes(4).toString('hex');
}

function messageOf(err: unknown): string {
  return err instanceof Error ? err.message : String(err);
}
