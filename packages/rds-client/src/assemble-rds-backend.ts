import { type BackendHistory, type Clock, type Logger, silentLogger } from '@reattach/core';
import { ConnectionManager, createSshMetrics, type Dial } from '@reattach/ssh-transport';
import { RdsBackend } from './rds-backend.ts';
import { RouterOsClient } from './router-os-client.ts';

/** A backend whose options were checked, and how to connect to it. */
export interface AssembleOptions {
  readonly name: string;
  readonly host: string;
  readonly port: number;
  readonly storageAddresses: readonly string[];
  readonly activityWindowMs: number;
  readonly idlePollMs: number;
  readonly writesStillMs: number;
  readonly maxQuiesceMs: number;
  /** Default: no host is. */
  readonly isForeign?: (address: string) => boolean;
  readonly history?: BackendHistory;
  readonly dial: Dial;
  readonly clock: Clock;
  /** A number in [0, 1) for the jitter of reconnects; default `Math.random`. */
  readonly random?: () => number;
  /** Default: silent. */
  readonly logger?: Logger;
}

/** Binds connection, client and metrics of one backend. */
export function assembleRdsBackend(options: AssembleOptions): RdsBackend {
  const {
    name,
    host,
    port,
    storageAddresses,
    activityWindowMs,
    idlePollMs,
    writesStillMs,
    maxQuiesceMs,
    isForeign = () => false,
    history,
    dial,
    clock,
  } = options;
  const { logger = silentLogger, random = Math.random } = options;
  const metrics = createSshMetrics(name);
  return new RdsBackend({
    name,
    storageAddresses,
    connection: new ConnectionManager({ name, dial, clock, random, logger, metrics }),
    client: new RouterOsClient({ name, host, port, clock, metrics }),
    clock,
    logger,
    idlePollMs,
    options: { activityWindowMs, writesStillMs, maxQuiesceMs },
    isForeign,
    ...(history && { history }),
    metrics,
  });
}
