import { SimWorld, type WorldFiles } from '@reattach/sim-world';
import { ControllerProcess, type LogLine } from './controller-process.ts';
import type { Scenario } from './scenario.ts';
import type { Story } from './story.ts';
import { watchWorld } from './watch-world.ts';

const POLL_MS = 20;

/** Everything a scenario plays on: the world, the controllers, the story. */
export class Stage implements AsyncDisposable {
  readonly world: SimWorld;
  readonly story: Story;
  readonly controllers: readonly ControllerProcess[];
  /** Lines the controllers logged, in order of arrival. */
  readonly log: readonly (LogLine & { readonly from: string })[];
  readonly #cleanup: AsyncDisposableStack;

  private constructor(
    world: SimWorld,
    story: Story,
    controllers: readonly ControllerProcess[],
    log: readonly (LogLine & { readonly from: string })[],
    cleanup: AsyncDisposableStack,
  ) {
    this.world = world;
    this.story = story;
    this.controllers = controllers;
    this.log = log;
    this.#cleanup = cleanup;
  }

  /** A settled world and controllers that are ready. */
  static async set(scenario: Scenario, story: Story): Promise<Stage> {
    await using cleanup = new AsyncDisposableStack();
    const world = cleanup.use(await SimWorld.start());
    const files: WorldFiles = cleanup.use(await world.writeFiles());
    const { nodes, rds } = world;
    story.tell(
      'story',
      `${nodes.length} nodes run a StatefulSet; each of its ${rds.device.volumes.length} volumes is written to without pause`,
    );
    const log: (LogLine & { readonly from: string })[] = [];
    const names = Array.from({ length: scenario.controllers ?? 1 }, (_, index) => `reattach-${index}`);
    const flags = [`--mode=${scenario.mode}`, ...(scenario.flags ?? [])];
    const controllers = names.map((name) =>
      cleanup.use(
        new ControllerProcess(name, world, files, flags, (line, from) => {
          log.push({ ...line, from: from.name });
          tellLine(line, story);
        }),
      ),
    );
    const stage = new Stage(world, story, controllers, log, cleanup.move());
    try {
      const startedAtMs = Date.now();
      await stage.until('every replica to run', 5_000, () => world.isSettled);
      await stage.until('the controller to be ready', 10_000, () => stage.#allReady());
      story.tell(
        'story',
        `Controller is ready in mode ${scenario.mode}, ${((Date.now() - startedAtMs) / 1_000).toFixed(1)} s after its start`,
      );
      stage.#cleanup.use(watchWorld(world, story));
      await stage.pause(600); // the backend is read in the idle poll, so that live nodes are known before they die
      return stage;
    } catch (err) {
      await stage[Symbol.asyncDispose]();
      throw err;
    }
  }

  /** Waits until `condition` holds. @throws when it does not within `timeoutMs`, or a controller has exited. */
  async until(what: string, timeoutMs: number, condition: () => boolean | Promise<boolean>): Promise<void> {
    const endMs = Date.now() + timeoutMs;
    while (!(await condition())) {
      if (Date.now() > endMs) throw new Error(`waited ${timeoutMs / 1_000} s in vain for ${what}`);
      if (this.controllers.every((controller) => controller.hasExited))
        throw new Error('the controller has exited');
      await this.pause(POLL_MS);
    }
  }

  pause(ms: number): Promise<void> {
    return new Promise((resolve) => {
      setTimeout(resolve, ms);
    });
  }

  /** The controllers have logged `message`, with these fields where given. */
  logged(message: string, fields: Readonly<Record<string, unknown>> = {}): readonly LogLine[] {
    return this.log.filter(
      (line) => line.msg === message && Object.entries(fields).every(([key, value]) => line[key] === value),
    );
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#cleanup.disposeAsync();
  }

  async #allReady(): Promise<boolean> {
    const answers = await Promise.all(
      this.controllers.map((controller) => controller.readiness().catch(() => ({ ok: false, why: '' }))),
    );
    return answers.every(({ ok }) => ok);
  }
}

/** What the controller says of its decisions, in its own words. */
function tellLine(line: LogLine, story: Story): void {
  const volume = text(line['persistentVolume']);
  const node = text(line['node']);
  const why = text(line['why']);
  switch (line.msg) {
    case 'Held release':
      return story.tell('decided', `hold ${volume} on ${node} (${text(line['reason'])}): ${why}`);
    case 'Fenced node':
      return story.tell('decided', `cut ${node} off at the backend`);
    case 'Released stale attachment':
      return story.tell('decided', `release ${volume} from ${node} (${text(line['strategy'])}): ${why}`);
    case 'Unfenced node':
      return story.tell('decided', `let ${node} back to the backend: ${why}`);
    case 'Removed out-of-service taint':
      return story.tell('decided', `remove the out-of-service taint of ${node}: ${why}`);
    default:
      if (line.level === 'error') story.tell('error', `${line.msg} ${JSON.stringify(line['err'] ?? '')}`);
  }
}

function text(field: unknown): string {
  return typeof field === 'string' ? field : '';
}
