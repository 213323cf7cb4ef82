import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { FakeClock } from '@reattach/core/testing';
import { type KubeApi, type KubeRequest, loadKubeApi } from '@reattach/k8s-api';
import { KubeSim } from '@reattach/kube-sim';

/** A simulated API server, reached over HTTP. Time moves only while no request is in flight. */
export class KubeSimCluster implements AsyncDisposable {
  readonly clock: FakeClock;
  readonly sim: KubeSim;
  readonly api: KubeApi;
  /** Runs before a request is sent: what others do between our read and our write. */
  beforeRequest: (request: KubeRequest) => void = () => undefined;
  #inFlight = 0;

  private constructor(clock: FakeClock, sim: KubeSim, api: KubeApi) {
    this.clock = clock;
    this.sim = sim;
    this.api = {
      server: api.server,
      request: async (request) => {
        this.beforeRequest(request);
        this.#inFlight++;
        try {
          return await api.request(request);
        } finally {
          this.#inFlight--;
        }
      },
      watch: (request) => api.watch(request),
      [Symbol.asyncDispose]: () => api[Symbol.asyncDispose](),
    };
  }

  static async start(): Promise<KubeSimCluster> {
    const clock = new FakeClock();
    const sim = await KubeSim.start({ clock });
    const folder = await mkdtemp(join(tmpdir(), 'reattach-k8s-actions-'));
    try {
      const kubeconfigPath = join(folder, 'config');
      await sim.writeKubeconfig(kubeconfigPath);
      return new KubeSimCluster(clock, sim, loadKubeApi({ kubeconfigPaths: [kubeconfigPath], clock }));
    } finally {
      await rm(folder, { recursive: true });
    }
  }

  /** Settles with `promise`, moving time on whenever it waits for nothing else. */
  async settled<T>(promise: Promise<T>): Promise<T> {
    let done = false;
    const finish = () => {
      done = true;
    };
    promise.then(finish, finish);
    await this.until(() => done);
    return promise;
  }

  /** Moves time on, between requests, until the condition holds. */
  async until(condition: () => boolean): Promise<void> {
    while (!condition()) {
      await new Promise((resolve) => setImmediate(resolve));
      if (this.#inFlight === 0 && !condition()) await this.clock.advance(50);
    }
  }

  /** Moves time on by at least `durationMs`. */
  advance(durationMs: number): Promise<void> {
    const endMs = this.clock.now() + durationMs;
    return this.until(() => this.clock.now() >= endMs);
  }

  /** @throws when a timer is left: something that was tested leaks it. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.api[Symbol.asyncDispose]();
    await this.sim[Symbol.asyncDispose]();
    const { pendingTimers } = this.clock;
    if (pendingTimers > 0) throw new Error(`${pendingTimers} timers were left`);
  }
}
