import { randomBytes } from 'node:crypto';
import {
  type Clock,
  type Inspection,
  Inspector,
  type StorageQuestion,
  type StorageReading,
  silentLogger,
} from '@reattach/core';
import { loadKubeApi } from '@reattach/k8s-api';
import { KubeCaches } from '@reattach/k8s-watch';
import { createRdsBox, type RdsBox, RdsFleet } from '@reattach/rds-client';
import type { Config } from '../config.ts';
import { CliError } from './cli-error.ts';

/** Longest wait for the first lists, ms. */
const SYNC_TIMEOUT_MS = 20_000;
const TIMEOUT_MS = 10_000;

const NOBODY: StorageQuestion = { suspects: [], others: [], volumes: [] };

/**
 * Cluster and boxes as a command sees them without a controller: read once, and nobody remembers what was before. A node
 * whose session has left the box's tracking was never seen live by it, and a Node that is gone has been since this look.
 */
export class OneShot implements AsyncDisposable {
  readonly config: Config;
  readonly caches: KubeCaches;
  readonly boxes: readonly RdsBox[];
  readonly inspector: Inspector;
  readonly #clock: Clock;
  readonly #signal: AbortSignal;
  readonly #resources: AsyncDisposableStack;

  private constructor(
    parts: Pick<OneShot, 'config' | 'caches' | 'boxes'>,
    resources: AsyncDisposableStack,
    clock: Clock,
    signal: AbortSignal,
  ) {
    const { config, caches, boxes } = parts;
    this.config = config;
    this.caches = caches;
    this.boxes = boxes;
    const { policy } = config;
    this.inspector = new Inspector({ cluster: caches, fleet: new RdsFleet(boxes), policy, clock });
    this.#resources = resources;
    this.#clock = clock;
    this.#signal = signal;
  }

  /** @throws {CliError} when the cluster does not answer. A box that does not is part of what is seen. */
  static async open(config: Config, clock: Clock, signal: AbortSignal): Promise<OneShot> {
    await using opening = new AsyncDisposableStack();
    const { kubeconfigPath, context, policy, activityWindowMs } = config;
    const api = opening.use(
      loadKubeApi({
        ...(kubeconfigPath !== undefined && { kubeconfigPath }),
        ...(context !== undefined && { context }),
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
    const boxes = config.boxes.map((box) => opening.use(createRdsBox({ ...box, activityWindowMs, clock })));
    caches.start();
    for (const box of boxes) box.start(signal);
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
    return new OneShot({ config, caches, boxes }, opening.move(), clock, signal);
  }

  /** Asks every box what a pass would ask it, else only what it says about itself. */
  async look(): Promise<Inspection> {
    const questions = this.inspector.questions(this.#clock.now());
    const readings = new Map<string, StorageReading>();
    await Promise.all(
      this.boxes.map(async (box) => {
        readings.set(box.name, await box.observe(questions.get(box) ?? NOBODY, this.#signal));
      }),
    );
    return this.inspector.inspect(this.#clock.now(), readings);
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
