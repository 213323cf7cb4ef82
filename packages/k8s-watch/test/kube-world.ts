import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import { FakeClock, RecordingLogger } from '@reattach/core/testing';
import { type KubeApi, loadKubeApi } from '@reattach/k8s-api';
import { KubeSim, type KubeSimOptions } from '@reattach/kube-sim';

/** A simulated API server and a client for it, both on one clock that the test moves. */
export class KubeWorld implements AsyncDisposable {
  readonly clock: FakeClock;
  readonly sim: KubeSim;
  readonly api: KubeApi;
  readonly logger: RecordingLogger = new RecordingLogger();

  private constructor(clock: FakeClock, sim: KubeSim, api: KubeApi) {
    this.clock = clock;
    this.sim = sim;
    this.api = api;
  }

  static async start(options: KubeSimOptions = {}): Promise<KubeWorld> {
    const clock = new FakeClock();
    const sim = await KubeSim.start({ clock, ...options });
    const folder = await mkdtemp(join(tmpdir(), 'k8s-watch-'));
    try {
      const kubeconfigPath = join(folder, 'kubeconfig');
      await sim.writeKubeconfig(kubeconfigPath);
      return new KubeWorld(clock, sim, loadKubeApi({ kubeconfigPaths: [kubeconfigPath], clock }));
    } finally {
      await rm(folder, { recursive: true });
    }
  }

  /** Moves time on in steps of `stepMs`, with real I/O between them. */
  async advance(deltaMs: number, stepMs: number = deltaMs): Promise<void> {
    await flush();
    for (let leftMs = deltaMs; leftMs > 0; leftMs -= stepMs) {
      await this.clock.advance(Math.min(stepMs, leftMs));
      await flush();
    }
  }

  /** Moves time on by a second at a time until `condition` is true. @throws after 5 minutes of the clock. */
  async advanceUntil(condition: () => boolean): Promise<void> {
    for (let leftS = 300; leftS > 0; leftS--) {
      await flush();
      if (condition()) return;
      await this.clock.advance(1_000);
    }
    throw new Error(`Waited in vain for ${condition.toString()}`);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.api[Symbol.asyncDispose]();
    await this.sim[Symbol.asyncDispose]();
  }
}

/** Gives loopback I/O a few turns of the event loop. Enough to make progress, never to rely on: see `until`. */
export async function flush(): Promise<void> {
  for (let turn = 0; turn < 5; turn++) await setImmediate();
}

/** Waits for loopback I/O to make `condition` true. @throws after a minute of real time. */
export async function until(condition: () => boolean, what: string = condition.toString()): Promise<void> {
  const bound = AbortSignal.timeout(60_000);
  while (!condition()) {
    if (bound.aborted) throw new Error(`Waited in vain for ${what}`);
    await setImmediate();
  }
}
