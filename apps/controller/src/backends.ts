import type { Clock, Logger } from '@reattach/core';
import { createRdsBackend, type RdsBackend, RdsFleet } from '@reattach/rds-client';
import type { Config } from './config/config.ts';
import type { Teardown } from './lifecycle/teardown.ts';

/** What backends are created with, and who disposes them. */
export interface BackendSurroundings {
  readonly config: Config;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly teardown: Teardown;
}

/** The storage backends of the configuration. This is the only file that knows products. */
export interface Backends {
  readonly all: readonly RdsBackend[];
  readonly fleet: RdsFleet;
}

/** Creates every configured backend, not started yet. */
export function createBackends({ config, clock, logger, teardown }: BackendSurroundings): Backends {
  const { activityWindowMs, idlePollMs, quiesceMs, writesStillMs } = config;
  const all = config.backends.map((backend) =>
    teardown.use(
      `storage-backend ${backend.name}`,
      createRdsBackend({
        ...backend,
        activityWindowMs,
        idlePollMs,
        quiesceMs,
        writesStillMs,
        clock,
        logger,
      }),
    ),
  );
  return { all, fleet: new RdsFleet(all) };
}
