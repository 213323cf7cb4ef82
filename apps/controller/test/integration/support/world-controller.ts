import { readFileSync } from 'node:fs';
import { RecordingLogger } from '@reattach/core/testing';
import {
  COMPRESSED_FLAGS,
  SimWorld,
  type SimWorldOptions,
  until,
  type WorldFiles,
  worldFlags,
} from '@reattach/sim-world';
import { compose } from '../../../src/compose.ts';
import { parseConfig } from '../../../src/config/config.ts';

/** A controller in this process, ready, over a simulated world of its own. */
export class WorldController implements AsyncDisposable {
  readonly world: SimWorld;
  readonly files: WorldFiles;
  readonly flags: readonly string[];
  readonly url: string;
  readonly logger: RecordingLogger;
  readonly #stop: () => Promise<void>;

  private constructor(
    parts: Pick<WorldController, 'world' | 'files' | 'flags' | 'url' | 'logger'>,
    stop: () => Promise<void>,
  ) {
    this.world = parts.world;
    this.files = parts.files;
    this.flags = parts.flags;
    this.url = parts.url;
    this.logger = parts.logger;
    this.#stop = stop;
  }

  static async start(
    extra: readonly string[] = [],
    { prepare, ...options }: SimWorldOptions & { readonly prepare?: (world: SimWorld) => void } = {},
  ): Promise<WorldController> {
    const world = await SimWorld.start({ volumes: 3, ...options });
    const files = await world.writeFiles();
    await until('the workload to run', 20_000, () => world.isSettled);
    prepare?.(world);
    const flags = [
      ...COMPRESSED_FLAGS,
      ...worldFlags(world, files),
      '--leader-election-enabled=false',
      ...extra,
    ];
    const logger = new RecordingLogger();
    const config = parseConfig({ argv: flags, env: {}, readFile: (path) => readFileSync(path, 'utf8') });
    const controller = compose(config, { logger });
    const stop = new AbortController();
    const running = controller.run(stop.signal);
    const dispose = async () => {
      stop.abort();
      await running;
      await files[Symbol.asyncDispose]();
      await world[Symbol.asyncDispose]();
    };
    await until('the controller to be ready', 20_000, () => controller.ready().ok);
    return new WorldController({ world, files, flags, url: controller.address ?? '', logger }, dispose);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#stop();
  }
}
