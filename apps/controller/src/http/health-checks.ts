import type { AttachmentReconciler, CacheFreshness, Clock, Policy } from '@reattach/core';
import { type HealthCheck, type HealthReport, healthReport } from './health.ts';

/** What readiness depends on. */
export interface ReadinessOptions {
  readonly caches: { freshness(): CacheFreshness };
  readonly backends: readonly {
    readonly name: string;
    health(): { readonly connected: boolean; readonly detail: string };
  }[];
  readonly reconciler: Pick<AttachmentReconciler, 'lastPass'>;
  readonly policy: Pick<Policy, 'maxCacheAgeMs'>;
  readonly clock: Clock;
  /** Absent: this process is the only one. */
  readonly elector?: { readonly isLeader: boolean; readonly holder: string | undefined };
}

/** Ready: caches synced and fresh, every backend connected, and the startup pass done, or another replica known that leads. */
export class Readiness {
  readonly #options: ReadinessOptions;
  #isStopping = false;

  constructor(options: ReadinessOptions) {
    this.#options = options;
  }

  /** From now on not ready. */
  stop(): void {
    this.#isStopping = true;
  }

  report(): HealthReport {
    const { backends } = this.#options;
    return healthReport([
      { name: 'running', ok: !this.#isStopping, why: this.#isStopping ? 'Stopping' : 'Running' },
      this.#cache(),
      ...backends.map((backend): HealthCheck => {
        const { connected, detail } = backend.health();
        return { name: `storage-backend ${backend.name}`, ok: connected, why: detail };
      }),
      this.#startup(),
    ]);
  }

  #cache(): HealthCheck {
    const { caches, policy, clock } = this.#options;
    const { synced, freshAsOfMs, detail } = caches.freshness();
    const ageMs = clock.now() - freshAsOfMs;
    return { name: 'cluster-cache', ok: synced && ageMs <= policy.maxCacheAgeMs, why: detail };
  }

  #startup(): HealthCheck {
    const { reconciler, elector } = this.#options;
    const name = 'startup-pass';
    if (elector && !elector.isLeader) {
      const { holder } = elector;
      return holder === undefined
        ? { name, ok: false, why: 'Waiting for leadership; the leader is not known' }
        : { name, ok: true, why: `Standby; ${holder} leads` };
    }
    const { lastPass } = reconciler;
    return lastPass
      ? { name, ok: true, why: `Last pass ended ${lastPass.result}` }
      : { name, ok: false, why: 'The startup pass has not ended' };
  }
}

/** What liveness depends on. */
export interface LivenessOptions {
  readonly reconciler: Pick<AttachmentReconciler, 'lastPass' | 'isRunning'>;
  readonly clock: Clock;
  readonly intervalMs: number;
}

/** Shortest time without a pass that counts as hung, ms. */
const MIN_HUNG_MS = 120_000;

/** Live: a loop that runs ends a pass at least every two intervals. */
export class Liveness {
  readonly #options: LivenessOptions;
  /** When the loop was first seen running in this term: passes of an earlier term do not count. */
  #runningSinceMs: number | undefined;

  constructor(options: LivenessOptions) {
    this.#options = options;
  }

  report(): HealthReport {
    const { reconciler, clock, intervalMs } = this.#options;
    const name = 'passes';
    if (!reconciler.isRunning) {
      this.#runningSinceMs = undefined;
      return healthReport([{ name, ok: true, why: 'Not leading' }]);
    }
    this.#runningSinceMs ??= clock.now();
    const { lastPass } = reconciler;
    const endedAtMs = lastPass ? lastPass.startedAtMs + lastPass.durationMs : 0;
    const sinceMs = clock.now() - Math.max(endedAtMs, this.#runningSinceMs);
    const ok = sinceMs <= Math.max(2 * intervalMs, MIN_HUNG_MS);
    return healthReport([{ name, ok, why: `Last pass ended ${(sinceMs / 1_000).toFixed(1)} s ago` }]);
  }
}
