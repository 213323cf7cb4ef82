import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import {
  ACTIVITY_WINDOW_MS,
  type BackendKind,
  COMPRESSED_FLAGS,
  ControllerProcess,
  type LogLine,
  SimWorld,
  type SimWorldOptions,
  type WorldFiles,
  worldFlags,
} from '@reattach/sim-world';
import { addLogLine } from './log-events.ts';
import type { Timeline } from './timeline.ts';
import { watchWorld } from './watch-world.ts';

/** Interval between two checks of an awaited condition, ms. */
const POLL_MS = 20;

/** Longest wait for a condition, ms: it ends what hangs and is far above what a busy machine needs. */
const LIMIT_MS = 180_000;

/** An RDS shows the last packet of a host to the second. */
const READING_RESOLUTION_MS = 1_000;

/** A command that reads sessions, in either dialect. */
const READING = /^read |\/ip\/firewall\/connection/;

/** Elections in step with the compressed world. */
const ELECTION_FLAGS = [
  '--leader-election-lease-duration-ms=10000',
  '--leader-election-renew-deadline-ms=5000',
  '--leader-election-retry-period-ms=300',
  '--leader-election-namespace=kube-system',
];

/** How a scenario starts its controllers. */
export interface RunOptions {
  readonly mode: 'observe' | 'fence';
  /** More flags of the controller. */
  readonly flags?: readonly string[];
  /** What the world differs in from the usual one. */
  readonly world?: Omit<SimWorldOptions, 'backend' | 'clock'>;
  /** Replicas of the controller; default 1. */
  readonly controllers?: number;
}

/** The simulated world, its controllers and the timeline of one run. */
export class ScenarioRun implements AsyncDisposable {
  readonly world: SimWorld;
  readonly timeline: Timeline;
  readonly controllers: readonly ControllerProcess[];
  /** Lines the controllers logged, in order of arrival. */
  readonly log: readonly (LogLine & { readonly from: string })[];
  readonly #cleanup: AsyncDisposableStack;

  private constructor(
    parts: Pick<ScenarioRun, 'world' | 'timeline' | 'controllers' | 'log'>,
    cleanup: AsyncDisposableStack,
  ) {
    this.world = parts.world;
    this.timeline = parts.timeline;
    this.controllers = parts.controllers;
    this.log = parts.log;
    this.#cleanup = cleanup;
  }

  /** Resolves once every replica of the workload runs and every controller is ready. @throws with what `/readyz` says otherwise. */
  static async start(options: RunOptions, backend: BackendKind, timeline: Timeline): Promise<ScenarioRun> {
    await using cleanup = new AsyncDisposableStack();
    const world = cleanup.use(await SimWorld.start({ ...options.world, backend }));
    const files: WorldFiles = cleanup.use(await world.writeFiles());
    const { nodes, rds } = world;
    timeline.add(
      'narration',
      `${nodes.length} nodes run a StatefulSet; each of its ${rds.device.volumes.length} volumes is written to without pause`,
    );
    const log: (LogLine & { readonly from: string })[] = [];
    const names = Array.from({ length: options.controllers ?? 1 }, (_, index) => `reattach-${index}`);
    const main = fileURLToPath(import.meta.resolve('@reattach/controller/main'));
    const flags = [
      ...COMPRESSED_FLAGS,
      ...ELECTION_FLAGS,
      ...worldFlags(world, files),
      `--mode=${options.mode}`,
      ...(options.flags ?? []),
    ];
    const onLine = (line: LogLine, from: ControllerProcess) => {
      log.push({ ...line, from: from.name });
      addLogLine(line, timeline);
    };
    const startedAtMs = Date.now();
    const controllers = names.map((name) =>
      cleanup.use(
        new ControllerProcess({
          main,
          name,
          onLine,
          flags: [...flags, `--leader-election-identity=${name}`],
        }),
      ),
    );
    const run = new ScenarioRun({ world, timeline, controllers, log }, cleanup);
    await run.until('every replica to run', () => world.isSettled);
    await run.#untilReady();
    const tookMs = Date.now() - startedAtMs;
    timeline.add(
      'narration',
      `Controller is ready in mode ${options.mode}, ${(tookMs / 1_000).toFixed(1)} s after its start`,
    );
    timeline.add('narration', 'The controller listens until it knows how often each host speaks');
    await run.listen(ACTIVITY_WINDOW_MS);
    cleanup.use(watchWorld(world, timeline));
    return new ScenarioRun(run, cleanup.move());
  }

  /** Waits until `condition` holds. @throws when it does not within three minutes, or when every controller has exited. */
  async until(what: string, condition: () => boolean | Promise<boolean>): Promise<void> {
    const endMs = Date.now() + LIMIT_MS;
    while (!(await condition())) {
      if (Date.now() > endMs) throw new Error(`Waited ${LIMIT_MS / 1_000} s for ${what}`);
      if (this.controllers.every((controller) => controller.hasExited))
        throw new Error(`Every controller exited while the run waited for ${what}`);
      await this.pause(POLL_MS);
    }
  }

  /** Lets the world run for `ms`: for scenarios in which nothing may happen. */
  pause(ms: number): Promise<void> {
    return sleep(ms);
  }

  /**
   * Waits until the controller has read the backend for longer than that. A host that was heard for less than the activity window may
   * be one that speaks rarely, so its silence proves nothing for nine windows.
   */
  async listen(ms: number): Promise<void> {
    const heardAtMs = Date.now() + ms + READING_RESOLUTION_MS;
    const { entries } = this.world.rds.commands;
    const isHeard = () =>
      entries.filter(({ atMs, text }) => atMs > heardAtMs && READING.test(text)).length >= 2;
    await this.until('the backend to be read', isHeard);
  }

  /** What the leader says about the evidence for a lost node: `live`, `silent` or `unknown` for each of its attachments. */
  async evidenceOf(node: string): Promise<readonly string[]> {
    const attachments = (await this.controllers[0]?.lostAttachments()) ?? [];
    return attachments.filter((each) => each.node === node).map(({ evidence }) => evidence.kind);
  }

  /** The lines with this message, and with these fields where given. */
  logged(message: string, fields: Readonly<Record<string, unknown>> = {}): readonly LogLine[] {
    return this.log.filter(
      (line) => line.msg === message && Object.entries(fields).every(([key, value]) => line[key] === value),
    );
  }

  /** Stops every controller that still runs. @returns a problem for each that did not exit with 0. */
  async stopControllers(): Promise<readonly string[]> {
    const problems: string[] = [];
    for (const controller of this.controllers) {
      if (controller.hasExited) continue; // killed by the scenario
      const code = await controller.stop();
      if (code !== 0) problems.push(`${controller.name} ended with exit code ${code}`);
    }
    return problems;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#cleanup.disposeAsync();
  }

  async #untilReady(): Promise<void> {
    let unready = '';
    const isReady = async () => {
      const answers = await Promise.all(
        this.controllers.map(async (controller) => ({
          name: controller.name,
          ...(await controller.readiness().catch((err: unknown) => ({ ok: false, why: String(err) }))),
        })),
      );
      unready = answers
        .filter(({ ok }) => !ok)
        .map(({ name, why }) => `${name}: ${why}`)
        .join('; ');
      return unready === '';
    };
    try {
      await this.until('the controller to be ready', isReady);
    } catch (cause) {
      const message = cause instanceof Error ? cause.message : String(cause);
      throw new Error(`${message}. /readyz says: ${unready}`, { cause });
    }
  }
}
